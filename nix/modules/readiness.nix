# How readiness is asked: at once, each second, until the time that the pin gives is over.
rec {
  eachSecond = seconds: {
    period = 1;
    probe_timeout = 4;
    failure_threshold = seconds;
  };

  # The time for a single answer: devenv does not hand it to process-compose, whose own is one second and which ends a
  # process that answers later.
  compose.readiness_probe.timeout_seconds = (eachSecond 1).probe_timeout;
}
