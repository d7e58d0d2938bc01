"""What the commands of the command line do; app/cli.py lists them."""
