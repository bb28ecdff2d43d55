"""Information sharing agreements: what they allow, who has signed, when they hold."""
