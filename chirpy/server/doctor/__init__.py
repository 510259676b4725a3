"""`flask doctor`: examine the settings, this machine and the database; name each next command."""
