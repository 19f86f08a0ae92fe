#!/usr/bin/env node
// Makes the npm packages, as tarballs to be published or installed:
//
//   node packages/npm/build.mjs main --out DIR                        fauxfax
//   node packages/npm/build.mjs platform linux-x64 BINARY --out DIR   @fauxfax/cli-linux-x64, from a program that is built already
//
// Prints the path of the tarball. Version, description and URLs come from Cargo.toml. `main` installs the compiler for the types,
// if it is missing; needs Python 3.9 and cargo for packages/project.py.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { HEADER_BYTES, platformOf } from "./header.mjs";

const { PLATFORMS } = createRequire(import.meta.url)("./lib/binary.js");
const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const LICENSES = ["LICENSE-APACHE", "LICENSE-MIT"];
const USAGE = `usage: build.mjs main --out DIR
       build.mjs platform ${PLATFORMS.join("|")} BINARY --out DIR`;

/** A mistake that the caller has to correct. */
class Refused extends Error {}

/** Returns the manifest of the main package, with version, description and so on filled in from Cargo.toml. */
function filledManifest() {
  const template = readFileSync(join(HERE, "package.json"));
  return JSON.parse(
    execFileSync("python3", [join(ROOT, "packages/project.py"), "fill"], { input: template, encoding: "utf8" }),
  );
}

/** Puts the main package into a folder. */
function stageMain(folder) {
  const manifest = filledManifest();
  const { version } = manifest;
  manifest.optionalDependencies = Object.fromEntries(PLATFORMS.map((platform) => [`@fauxfax/cli-${platform}`, version]));
  manifest.files = [...manifest.files, ...LICENSES];
  writeJson(join(folder, "package.json"), manifest);
  cpSync(join(HERE, "bin"), join(folder, "bin"), { recursive: true });
  cpSync(join(HERE, "lib"), join(folder, "lib"), { recursive: true });
  stageTypes(folder);
  // npm shows the README without the rest of the repository, so its links must be absolute.
  const files = `${manifest.homepage.replace(/#.*$/, "")}/blob/v${version}/`;
  const readme = readFileSync(join(HERE, "README.md"), "utf8").replaceAll("](../../", `](${files}`);
  writeFileSync(join(folder, "README.md"), readme);
}

/** Checks the types in the JavaScript's comments, and adds the declarations that callers can reach. */
function stageTypes(folder) {
  const tools = join(HERE, "tools/node_modules");
  if (!existsSync(tools))
    execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--silent"], { cwd: dirname(tools), stdio: "inherit" });
  const types = mkdtempSync(join(tmpdir(), "fauxfax-types-"));
  try {
    const compiler = join(tools, "typescript/bin/tsc");
    const flags = ["--project", HERE, "--typeRoots", join(tools, "@types"), "--outDir", types];
    execFileSync(process.execPath, [compiler, ...flags], { stdio: ["ignore", 2, 2] });
    copyReachable(join(types, "lib"), "index", join(folder, "lib"));
  } finally {
    rmSync(types, { recursive: true });
  }
}

/** Copies the types of a module and of those that it imports. */
function copyReachable(from, name, to) {
  const file = `${name}.d.ts`;
  if (existsSync(join(to, file))) return;
  const text = readFileSync(join(from, file), "utf8");
  writeFileSync(join(to, file), text);
  for (const [, imported] of text.matchAll(/(?:from |import\()"\.\/(\w+)\.js"/g)) copyReachable(from, imported, to);
}

/** Puts the package of one platform into a folder. */
function stagePlatform(folder, platform, binary) {
  check(platform, binary);
  const { version, license, repository, homepage, bugs, engines, publishConfig } = filledManifest();
  const [os, cpu] = platform.split("-");
  const manifest = {
    name: `@fauxfax/cli-${platform}`,
    version,
    description: `The program of the package fauxfax for ${platform}`,
    ...{ license, repository, homepage, bugs, engines },
    ...{ os: [os], cpu: [cpu] },
    type: "commonjs",
    files: ["bin", ...LICENSES],
    // Yarn's Plug'n'Play must unpack the program, so that it can be run.
    preferUnplugged: true,
    publishConfig,
  };
  writeJson(join(folder, "package.json"), manifest);
  writeFileSync(
    join(folder, "README.md"),
    `# ${manifest.name}\n\n${manifest.description}, which depends on it: install \`fauxfax\`.\n`,
  );
  mkdirSync(join(folder, "bin"));
  const program = join(folder, "bin", os === "win32" ? "fauxfax.exe" : "fauxfax");
  cpSync(binary, program);
  chmodSync(program, 0o755);
}

/** Refuses a program that does not run on the platform, or runs only on some of its systems. */
function check(platform, binary) {
  if (!PLATFORMS.includes(platform)) throw new Refused(`there is no package for ${platform}\n${USAGE}`);
  if (!existsSync(binary)) throw new Refused(`${binary} does not exist; build the program first`);
  const bytes = Buffer.alloc(HEADER_BYTES);
  const file = openSync(binary, "r");
  const found = platformOf(bytes.subarray(0, readSync(file, bytes)));
  closeSync(file);
  if (found?.platform !== platform) {
    throw new Refused(
      `${binary} is ${found ? `a program for ${found.platform}` : "not a program"}, but the package is for ${platform}`,
    );
  }
  if (found.linked) {
    throw new Refused(`${binary} needs a dynamic linker, so it would not run with every C library; build it with crt-static`);
  }
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Makes a tarball of what `stage` puts into a folder, and returns its path. */
function pack(out, stage) {
  const folder = mkdtempSync(join(tmpdir(), "fauxfax-npm-"));
  try {
    stage(folder);
    for (const license of LICENSES) cpSync(join(ROOT, license), join(folder, license));
    mkdirSync(out, { recursive: true });
    const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", resolve(out)], {
      cwd: folder,
      encoding: "utf8",
    });
    return join(resolve(out), packed.trim());
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Reads the command line, and returns the path of the tarball that was made. */
function run(args) {
  const { values, positionals } = parseArgs({ args, options: { out: { type: "string" } }, allowPositionals: true });
  const [what, platform, binary, ...rest] = positionals;
  if (values.out === undefined || rest.length > 0) throw new Refused(USAGE);
  if (what === "main" && platform === undefined) return pack(values.out, stageMain);
  if (what === "platform" && binary !== undefined) return pack(values.out, (folder) => stagePlatform(folder, platform, binary));
  throw new Refused(USAGE);
}

try {
  console.log(run(process.argv.slice(2)));
} catch (error) {
  const mistake = error instanceof Refused || error.code?.startsWith("ERR_PARSE_ARGS");
  console.error(mistake ? error.message : error);
  process.exitCode = mistake ? 2 : 1;
}
