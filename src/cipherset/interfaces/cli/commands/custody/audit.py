"""``cipherset audit``: verify, list, export and vouch for what was done."""

import sys
from pathlib import Path
from typing import Final

import click

from cipherset.app.audit import attest, emergency, show
from cipherset.app.audit import find as finding
from cipherset.app.audit import verify as verification
from cipherset.app.audit.emergency import Emergency
from cipherset.app.records.export import RECORDS, export_record
from cipherset.core.errors import IntegrityError, UsageError
from cipherset.core.files import disk_errors
from cipherset.interfaces.cli.command import Command, Context
from cipherset.interfaces.cli.commands.custody import respond
from cipherset.interfaces.cli.group import Group

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_SIGNER: Final = click.option(
    "--signer", metavar="FINGERPRINT", help="The only key that may have signed the checkpoint."
)
_TO: Final = click.option(
    "--to", "target", required=True, type=_FILE, metavar="FILE", help="The file to write."
)
_FORCE: Final = click.option("--force", is_flag=True, help="Overwrite a file that is there.")
_SINCE: Final = click.option(
    "--since", type=_FILE, metavar="FILE", help="An older checkpoint, to compare it with."
)


@click.group(name="audit", cls=Group)
def command() -> None:
    """The ledger: what was asked for, what was decided and what came of it."""


for _each in respond.COMMANDS:
    command.add_command(_each)


@command.command(cls=Command, epilog="Example:  cipherset audit verify --checkpoint friday.json")
@click.option("--checkpoint", type=_FILE, metavar="FILE", help="A checkpoint kept elsewhere.")
@click.option(
    "--event", "proof", type=_FILE, metavar="PROOF", help="Verify this proof of one event instead."
)
@click.option(
    "--consistency",
    type=_FILE,
    metavar="PROOF",
    help="Verify this proof that the checkpoint continues the one of --since.",
)
@_SINCE
@_SIGNER
@click.pass_obj
def verify(
    context: Context,
    checkpoint: Path | None,
    proof: Path | None,
    consistency: Path | None,
    since: Path | None,
    signer: str | None,
) -> None:
    """Verify the chain of events; exits with 5 where it does not hold.

    A chain that was cut, or computed anew, takes a checkpoint to see. With a proof, what it proves
    is verified instead, against the checkpoint only: no ledger is needed.
    """
    if proof is not None or consistency is not None:
        _verify_proof(context, (proof, consistency), (since, checkpoint), signer)
        return
    if since is not None or (signer is not None and checkpoint is None):
        raise _usage("--since goes with --consistency, and --signer with --checkpoint")
    found = verification.verify(context.session(), checkpoint, signer)
    rows = [("events", str(found["events"])), *_checkpoint_rows(found["checkpoint"], signer)]
    if found["valid"]:
        context.show(found, "the ledger is valid", rows)
        return
    rows += [("first bad", str(found["first_bad"])), ("because", found["because"])]
    error = _invalid(found)
    told = {"code": error.code, "message": error.message, "hint": error.hint}
    context.show({**found, "error": told}, "the ledger is NOT valid", rows)
    sys.exit(error.exit_code)


@command.command(name="list", cls=Command, epilog="Example:  cipherset audit list --action key")
@click.option(
    "--action", metavar="ACTION", help="Only this, such as protect or key.create; key: all of key."
)
@click.option("--actor", "by", metavar="PRINCIPAL", help="Only what this principal did.")
@click.option("--since", metavar="TIME", help="Only from this date or time on (UTC).")
@click.pass_obj
def list_(context: Context, action: str | None, by: str | None, since: str | None) -> None:
    """List events, the oldest first."""
    found = show.list_events(context.session(), show.Wanted(action, by, since))
    context.show(found, "events", _event_rows(found))


@command.command(cls=Command, epilog='Example:  cipherset audit find --value "where is my parcel?"')
@click.option("--value", metavar="TEXT", help="The whole text, as it was sent.")
@click.option(
    "--file", "path", type=_FILE, metavar="FILE", help="A file with the whole text, instead."
)
@click.pass_obj
def find(context: Context, value: str | None, path: Path | None) -> None:
    """Find what was asked of a model with a text that you hold; the ledger has only its digest.

    A file is taken as it is, without a line end at its very end.
    """
    if (value is None) == (path is None):
        raise UsageError(
            "give either --value or --file", code="usage", hint="see: cipherset audit find --help"
        )
    text = _text(path) if path is not None else (value or "").encode(errors="surrogateescape")
    found = finding.find_text(context.session(), text)
    context.show(found, "events with that text", _event_rows(found) or [("none", "")])


@command.command(cls=Command, epilog="Example:  cipherset audit export --to events.jsonl")
@_TO
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", *RECORDS]),
    default="jsonl",
    help="Events, or a record (default: jsonl).",
)
@_FORCE
@click.pass_obj
def export(
    context: Context,
    target: Path,
    form: str,
    force: bool,  # noqa: FBT001 -- click's
) -> None:
    """Write every event as a line of JSON, from which the chain can be verified.

    Or a record that is computed from the ledger: art30, of processing (GDPR, article 30), or
    art12, of use (AI Act, article 12).
    """
    if form in RECORDS:
        found = export_record(context.session(), target, form, overwrite=force)
    else:
        found = show.export_events(context.session(), target, overwrite=force)
    rows = [("entries", str(found["events"])), ("form", form), ("digest", found["sha256"])]
    context.show(found, f"written to {target}", rows)


@command.command(cls=Command, epilog="Example:  cipherset audit checkpoint --to friday.json")
@_TO
@_FORCE
@click.pass_obj
def checkpoint(context: Context, target: Path, force: bool) -> None:  # noqa: FBT001 -- click's
    """Sign what the ledger is now; keep the file where the ledger is not."""
    found = attest.checkpoint(context.session(), target, overwrite=force)
    rows = _checkpoint_rows(found, found["signer"])
    context.show({"to": str(target), **found}, f"the checkpoint is in {target}", rows)


@command.command(
    cls=Command,
    epilog="Example:  cipherset audit prove 57 --checkpoint friday.json --to event57.json",
)
@click.argument("seq", type=click.IntRange(min=1), required=False)
@click.option(
    "--checkpoint", type=_FILE, metavar="FILE", required=True, help="The checkpoint that it is in."
)
@_SINCE
@_TO
@_FORCE
@click.pass_obj
def prove(
    context: Context,
    seq: int | None,
    checkpoint: Path,
    since: Path | None,
    target: Path,
    force: bool,  # noqa: FBT001 -- click's
) -> None:
    """Prove that event SEQ is in a checkpoint, or that a checkpoint continues an older one.

    Who is given the proof and the checkpoint can verify it without the ledger:
    ``audit verify --event``, ``audit verify --consistency``.
    """
    session = context.session()
    if seq is not None and since is None:
        found = attest.prove_event(session, seq, checkpoint, target, overwrite=force)
    elif seq is None and since is not None:
        found = attest.prove_consistency(session, since, checkpoint, target, overwrite=force)
    else:
        raise _usage("prove one event, or that it goes on --since")
    rows = _checkpoint_rows(found, None)
    context.show({"to": str(target), **found}, f"the proof is in {target}", rows)


@command.command(cls=Command, epilog="Example:  cipherset audit accept --reason 'disk lost'")
@click.option("--reason", required=True, metavar="REASON", help="Why; it is recorded.")
@click.pass_obj
def accept(context: Context, reason: str) -> None:
    """Go on with a ledger that was restored from an older copy, or lost its end."""
    found = attest.accept(context.session(), reason)
    rows = [("last seen event", str(found["seen"])), ("last event now", str(found["last"]))]
    context.show(found, "accepted, and recorded", rows)


def _verify_proof(
    context: Context,
    proofs: tuple[Path | None, Path | None],
    checkpoints: tuple[Path | None, Path | None],
    signer: str | None,
) -> None:
    (event, consistency), (since, checkpoint) = proofs, checkpoints
    if event is not None and consistency is None and since is None and checkpoint is not None:
        found = verification.verify_event(event, checkpoint, signer)
        one = found["event"]
        rows = [(name, str(value)) for name, value in one.items()]
        rows += _checkpoint_rows(found["checkpoint"], signer)
        context.show(found, f"event {one['seq']} is in the checkpoint", rows)
    elif consistency is not None and event is None and since is not None and checkpoint is not None:
        grown = verification.verify_consistency(consistency, since, checkpoint, signer)
        rows = _checkpoint_rows(grown["checkpoint"], signer)
        context.show(grown, "the checkpoint goes on the older one", rows)
    else:
        raise _usage("--event needs --checkpoint, and --consistency needs --since and --checkpoint")


def _text(path: Path) -> bytes:
    with disk_errors(path):
        return path.read_bytes().removesuffix(b"\n").removesuffix(b"\r")


def _event_rows(found: show.ListResult) -> list[tuple[str, str]]:
    return [
        (
            f"{event['seq']}  {event['time'][:19]}",
            f"{event['outcome']:<9} {event['action']:<14} {event['actor']}: {event['subject']}",
        )
        for event in found["events"]
    ]


def _checkpoint_rows(
    found: verification.CheckpointResult | None, signer: str | None
) -> list[tuple[str, str]]:
    if found is None:
        return []
    checked = "" if signer else " (whoever that is: compare it, or pass --signer)"
    return [
        ("checkpoint", f"{found['size']} events, {found['time'][:19]}"),
        ("signed by", f"{found['signer']}{checked}"),
    ]


def _invalid(found: verification.VerifyResult) -> IntegrityError:
    return IntegrityError(
        f"the ledger does not hold at event {found['first_bad']}: {found['because']}",
        code="ledger_invalid",
        hint="keep a copy for whoever investigates, then restore the newest whole one",
    )


def _usage(expected: str) -> UsageError:
    return UsageError(expected, code="usage", hint="see: cipherset audit --help")


@command.command(cls=Command, epilog="Example:  cipherset audit emergencies --as eve")
@click.pass_obj
def emergencies(context: Context) -> None:
    """List what was done with --break-glass, and whether somebody reviewed it."""
    found = emergency.emergencies(context.session())
    rows = [(f"event {each.seq}", _told(each)) for each in found]
    shown = {"emergencies": [each.as_json() for each in found]}
    context.show(shown, "emergencies", rows or [("none", "")])


@command.command(cls=Command, epilog="Example:  cipherset audit review 41 --comment ok --as rev")
@click.argument("seq", metavar="EVENT", type=int)
@click.option("--comment", required=True, help="What you found.")
@click.pass_obj
def review(context: Context, seq: int, comment: str) -> None:
    """Review the emergency of EVENT; never one's own."""
    found = emergency.review(context.session(), seq, comment)
    context.show(found.as_json(), "reviewed", [(f"event {found.seq}", _told(found))])


def _told(found: Emergency) -> str:
    if found.reviewed_by is not None:
        state = f"reviewed by {found.reviewed_by}"
    else:
        state = "OVERDUE" if found.is_overdue else f"to be reviewed by {found.due.isoformat()}"
    return f"{found.action} by {found.actor}: {found.reason}; {state}"
