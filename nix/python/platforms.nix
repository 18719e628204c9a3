# Which wheels pip may take, by system: told in full, so that every machine chooses the same ones.
#
# A wheel names the oldest C library or macOS that it runs on. nixpkgs' own is newer than all of these.
version:
let
  glibc = [
    5
    12
    17
    24
    26
    27
    28
    31
    34
    35
  ];
  macos = "14_0"; # what nixpkgs asks of a Mac; pip takes wheels for older ones too

  linux =
    arch:
    map (minor: "manylinux_2_${toString minor}_${arch}") glibc
    ++ [ "manylinux2014_${arch}" ]
    ++ (
      if arch == "x86_64" then
        [
          "manylinux2010_${arch}"
          "manylinux1_${arch}"
        ]
      else
        [ ]
    );

  tag = "cp${builtins.replaceStrings [ "." ] [ "" ] version}";

  arguments =
    platforms:
    [
      "--python-version=${version}"
      "--implementation=cp"
    ]
    ++ map (abi: "--abi=${abi}") [
      tag
      "abi3"
      "none"
    ]
    ++ map (platform: "--platform=${platform}") platforms;
in
builtins.mapAttrs (_: arguments) {
  x86_64-linux = linux "x86_64";
  aarch64-linux = linux "aarch64";
  aarch64-darwin = [ "macosx_${macos}_arm64" ];
}
