"""The secret map, recovered from what is known: scale, permutation, rotation, learned map."""
