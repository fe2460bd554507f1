"""Which record is this ciphertext? Re-identification among candidates, alone and joined."""
