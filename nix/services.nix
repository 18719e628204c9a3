# The programs of the four services, each exactly as pinned.
{ pkgs, ragbed }:
let
  exact = ragbed.package pkgs;
in
{
  postgres = (exact "postgres").withPackages (extensions: [ extensions.pgvector ]);
  redis = exact "redis";
  qdrant = exact "qdrant";
  ollama = exact "ollama";
}
