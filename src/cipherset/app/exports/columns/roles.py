"""What the parts that columns play rule out, of an export and of its calibration alike."""

from cipherset.core.errors import UsageError
from cipherset.core.values import ColumnRoles


def check_roles(roles: ColumnRoles, *, all_fields: bool, command: str) -> None:
    """Refuse for ``command`` parts that contradict each other.

    Classes have anchors; grades are numbers, sets of labels are told linearly, and columns beside
    text are of rows as they are.

    Raises:
        UsageError: ``usage``.
    """
    several = roles.label_separator is not None
    if roles.ranked and (several or None in {roles.label, roles.group}):
        raise _usage("rows are ranked by grades: give --label COLUMN, of one number a row", command)
    if roles.beside and roles.pool is not None:
        raise _usage(
            "columns stand beside one row, and --pool makes one of several: leave one out", command
        )
    if (several or roles.beside) and len(roles.text) > 1 and not all_fields:
        what = "beside others" if roles.beside else "by several labels"
        raise _usage(
            f"which text columns are needed {what} is not measured: give --all-fields", command
        )


def _usage(message: str, command: str) -> UsageError:
    return UsageError(message, code="usage", hint=f"see: cipherset {command} --help")
