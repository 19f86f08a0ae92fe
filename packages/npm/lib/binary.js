"use strict";
// Finds the program: FAUXFAX_BIN, or the package for this platform, which npm installs as an optional dependency.

const { accessSync, constants, statSync } = require("node:fs");

const { FauxfaxError } = require("./error.js");

/** The platforms that have a package, as Node names them. */
const PLATFORMS = Object.freeze(["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64"]);

/**
 * Returns the path of the fauxfax program.
 *
 * @param {Record<string, string | undefined>} env The environment, whose FAUXFAX_BIN takes precedence.
 * @param {string} platform The platform as Node names it, such as `linux-x64`.
 * @returns {string} The path.
 */
function findBinary(env = process.env, platform = `${process.platform}-${process.arch}`) {
  if (env.FAUXFAX_BIN) return checkBinary(env.FAUXFAX_BIN, "FAUXFAX_BIN");
  if (!PLATFORMS.includes(platform)) {
    const detail =
      `packages exist for ${PLATFORMS.join(", ")}. Build the program with Rust (cargo install fauxfax), and set FAUXFAX_BIN to ` +
      "its path";
    throw new FauxfaxError(`there is no fauxfax program for ${platform}`, detail, { code: "no-binary" });
  }
  const name = `@fauxfax/cli-${platform}`;
  try {
    return require.resolve(`${name}/bin/fauxfax${platform.startsWith("win32") ? ".exe" : ""}`);
  } catch (cause) {
    const detail =
      "npm leaves out this optional dependency with --omit=optional or --no-optional, and may leave it out if package-lock.json " +
      "or node_modules comes from a machine of another platform. Run npm install --include=optional; if that doesn't help, remove " +
      "node_modules and package-lock.json and run npm install. Or set FAUXFAX_BIN to the path of a fauxfax program";
    throw new FauxfaxError(`the package ${name}, which has the program, is not installed`, detail, {
      code: "no-binary",
      cause,
    });
  }
}

/**
 * Refuses a path that doesn't lead to a program.
 *
 * @param {string} path
 * @param {string} source Where the path was given, such as `FAUXFAX_BIN`.
 * @returns {string} The path.
 */
function checkBinary(path, source) {
  let found = "this is a folder: append the name of the program to it";
  /** @type {unknown} */
  let cause;
  try {
    accessSync(path, constants.X_OK);
    if (!statSync(path).isDirectory()) return path;
  } catch (error) {
    cause = error;
    found = `there is nothing that can be run (${reason(error)})`;
  }
  const detail = `${source} must be the path of the program, but ${found}`;
  throw new FauxfaxError(`fauxfax is not at ${path}`, detail, { code: "no-binary", cause });
}

/**
 * Returns the system's short name of an error, such as ENOENT.
 *
 * @param {unknown} error What was thrown.
 */
function reason(error) {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

module.exports = { PLATFORMS, checkBinary, findBinary, reason };
