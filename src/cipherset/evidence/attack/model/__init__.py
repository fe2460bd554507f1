"""What a trained model gives away: membership, copies, and what it is worth when stolen."""
