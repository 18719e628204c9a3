# The wheels of ragbed and its dependencies for one system, downloaded by pip as `requirements.lock` pins them.
#
# pip checks each file's hash; Nix checks the folder's, which `wheels.json` pins. No address is written here: pip has
# its own, or the one that PIP_INDEX_URL names.
{
  lib,
  runCommand,
  writeText,
  cacert,
  stdenv,
  interpreter,
  requirements,
  pinned ? builtins.fromJSON (builtins.readFile ./wheels.json),
}:
let
  system = stdenv.hostPlatform.system;
  version = lib.versions.majorMinor interpreter.version;
  arguments = (import ./platforms.nix version).${system};
  stale = pinned.requirements != requirements.sha256 || pinned.python != version;
  list = writeText "requirements.txt" requirements.text;
in
if stale then
  throw "nix/python/wheels.json is older than requirements.lock or stack.toml's Python; try: scripts/update-pins wheels"
else
  runCommand "ragbed-wheels-${builtins.substring 0 8 requirements.sha256}"
    {
      nativeBuildInputs = [ interpreter ];
      outputHashMode = "recursive";
      outputHashAlgo = "sha256";
      outputHash = pinned.systems.${system};
      SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
      impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [ "PIP_INDEX_URL" ];
    }
    ''
      export HOME=$TMPDIR
      python3 -m venv pip
      pip/bin/python -m pip download --quiet --no-cache-dir --disable-pip-version-check --no-input \
        --require-hashes --only-binary :all: --no-deps ${lib.escapeShellArgs arguments} \
        --requirement ${list} --dest $out
    ''
