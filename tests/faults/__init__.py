"""What does the gateway make of an upstream that does everything wrong?"""
