{ lib, rustPlatform, installShellFiles, stdenv }:

let
  manifest = lib.importTOML ../../Cargo.toml;
in
rustPlatform.buildRustPackage {
  pname = manifest.package.name;
  inherit (manifest.workspace.package) version;

  src = lib.fileset.toSource {
    root = ../..;
    # The sources of the program and of its unit tests.
    fileset = lib.fileset.unions [
      ../../Cargo.toml
      ../../Cargo.lock
      ../../clippy.toml
      ../../benches
      ../../console
      ../../core
      ../../examples/inbox.rs
      ../../fixtures
      ../../src
      ../../tests/it
      ../../LICENSE-APACHE
      ../../LICENSE-MIT
    ];
  };
  cargoLock.lockFile = ../../Cargo.lock;

  buildType = "dist";
  cargoBuildFlags = [ "--bin" "fauxfax" ];
  # The integration tests need ports and programs that the build's sandbox doesn't have.
  cargoTestFlags = [ "--package" "fauxfax-core" "--lib" ];
  checkType = "debug";

  nativeBuildInputs = [ installShellFiles ];
  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    $out/bin/fauxfax man --dir man
    installManPage man/*.1
    installShellCompletion --cmd fauxfax \
      --bash <($out/bin/fauxfax completions bash) \
      --zsh <($out/bin/fauxfax completions zsh) \
      --fish <($out/bin/fauxfax completions fish)
  '';

  meta = {
    inherit (manifest.package) description;
    homepage = manifest.workspace.package.repository;
    license = with lib.licenses; [ asl20 mit ];
    mainProgram = "fauxfax";
  };
}
