"""The figures of a program for Prometheus: asked for through the channel, served outside of the zone.

The client's side: it knows the program by the reply of its status ability only. Needs the extra `metrics`.
"""
