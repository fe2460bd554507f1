"""What stands where: assets approved or suspended, models deployed."""
