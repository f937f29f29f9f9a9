"""The county's own certificate authority: who a gateway is, said by one certificate and taken back by one command.

Not here: what a broker does with certificates (broker), and the gateway's half (kanhu.gateway.enrol).
"""
