"""Which addresses only this machine can reach."""


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's own."""
    import ipaddress  # here, since the parent of the workers seldom needs it

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
