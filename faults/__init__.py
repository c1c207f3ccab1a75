"""The fault runs: processes are killed, cut off and lied to while mailings run; then each mail is accounted for."""
