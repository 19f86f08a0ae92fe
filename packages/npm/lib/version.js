"use strict";
// Compares the version of an emulator with that of this package: calls and fields may change from version to version.

/** This package's version. @type {string} */
const VERSION = require("../package.json").version;

/** The emulators' versions that have been warned about. @type {Set<string>} */
const warned = new Set();

/**
 * Warns if an emulator's version differs from this package's, once per version.
 *
 * @param {string} url The emulator's URL.
 * @param {string} version The emulator's version.
 */
function warnIfDifferent(url, version) {
  if (version === VERSION || warned.has(version)) return;
  warned.add(version);
  process.emitWarning(`the emulator at ${url} has ${versions(version)}`, { type: "FauxfaxWarning", code: "version-mismatch" });
}

/**
 * Describes both versions, for a warning or an error.
 *
 * @param {string | undefined} version The emulator's version, if it says one.
 */
function versions(version) {
  if (version === VERSION) return `version ${VERSION}, the same as this package; is something else answering in its place?`;
  const theirs = version === undefined ? "an unknown version" : `version ${version}`;
  return `${theirs}, and this package has version ${VERSION}; use the same version of both`;
}

module.exports = { versions, warnIfDifferent };
