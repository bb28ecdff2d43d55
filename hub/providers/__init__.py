"""Identity providers of organisations, through which their people sign in (OpenID Connect)."""
