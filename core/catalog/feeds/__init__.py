"""One pure parser per source: bytes or values in, typed rows and refused rows out."""
