"""Polka, the payment provider, simulated: anybody may see deliveries go wrong and end well."""
