# `ragbed` with the pinned servers, and the pinned models as read-only folders for Ollama: every set of the lock, and every model.
{
  pkgs,
  ragbed,
  source,
}:
let
  inherit (ragbed) manifest models;
  stores = import ./models {
    inherit (pkgs) fetchurl linkFarm;
    inherit source;
  };

  python = import ./python { inherit pkgs; };
  services = import ./services.nix { inherit pkgs ragbed; };

  attribute = builtins.replaceStrings [ ":" "." "/" ] [ "-" "-" "-" ];
  store =
    name: members:
    stores.store {
      inherit name manifest;
      models = members;
    };
  named = prefix: name: members: {
    name = "${prefix}-${attribute name}";
    value = store "${prefix}-${attribute name}" members;
  };

  ofSets = map (set: named "ollama-models" set (models.set set)) (builtins.attrNames models.sets);
  ofModels = map (model: named "ollama-model" model.fullName [ model ]) models.all;
in
builtins.listToAttrs (ofSets ++ ofModels)
// rec {
  default = ragbed;
  # The command with the pinned servers before PATH.
  ragbed = python.ragbed { programs = builtins.attrValues services; };
  ollama-models = store "ollama-models" (models.set models.default);
}
