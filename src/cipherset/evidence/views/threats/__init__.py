"""The threat model: attackers' paths over what there is now, generated, never drawn by hand."""
