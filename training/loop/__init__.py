"""What every stage needs to run: checkpoints, schedules, several processes."""
