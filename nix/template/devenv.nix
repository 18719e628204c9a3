# The services of this application. Every option: docs/nix.md of ragbed.
{
  services.ragbed = {
    enable = true;
    corpus = "docs";

    # What this project pins itself, over ragbed's by key.
    stackFile = ./stack.toml;
    # lockFile = ./models.lock.json; # its own models

    # Two projects on one machine: give one of them another offset.
    portOffset = 0;
  };
}
