"""Images as a source: folders of files, and the bytes of one file to its pixels."""
