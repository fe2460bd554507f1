"""Other people's ciphertexts: what any file of encrypted vectors gives away, without its key.

For whoever uses a scheme that keeps distances, ours or another's, and wants to know. The attacker
holds the file, the encoder and public text. With the plain records of the file's rows his guesses
are scored, and some rows serve as known pairs; without them he has only his own objective to go by,
and so has whoever reads it.
"""
