"""The floor: identifiers, clock, digests, canonical encoding, durable files and errors.

Standard library only. Everything here is pure, or does exactly one thing to the disk, all or nothing.
"""
