"""What an operator touches: the scoreboard, metrics, logs, systemd, and facts about the machine."""
