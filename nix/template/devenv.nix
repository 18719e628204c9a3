# The services of this application. Every option: docs/nix.md of ragbed.
{
  services.ragbed = {
    enable = true;
    corpus = "docs";

    # Parts that override ragbed's by key; delete them where its own will do.
    stackFile = ./stack.toml;
    lockFile = ./models.lock.json;

    # Two projects on one machine: give one of them another offset.
    portOffset = 0;
  };
}
