"""How the cluster properties begin in which what is open is written down; a node's name follows."""

RECEIPT_PREFIX = "nova-ha-receipt-"
RECOVERY_PREFIX = "nova-ha-recovery-"
STARTS_PREFIX = "nova-ha-starts-"
WITHDRAWN_PREFIX = "nova-ha-withdrawn-"

OPEN = (RECEIPT_PREFIX, RECOVERY_PREFIX, STARTS_PREFIX, WITHDRAWN_PREFIX)
"""As long as one of these is there, something of Nova is changed that nova-ha has to give back."""
