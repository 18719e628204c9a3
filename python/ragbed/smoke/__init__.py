"""`ragbed smoke`: stages, runner, report. It imports nothing: the command line asks for the stages' names alone."""
