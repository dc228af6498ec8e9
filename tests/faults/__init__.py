"""Faults, made on purpose: witnesses that outlive the program, a proxy that breaks conversations, a hand that kills."""
