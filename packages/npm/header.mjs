// Reads what a program's header says about the platform that it runs on, so that no package gets the program of another platform.

/** The number of bytes that are enough to read any header. */
export const HEADER_BYTES = 64 * 1024;

const ELF_MACHINES = { 62: "x64", 183: "arm64" };
const MACH_O_CPUS = { 0x01000007: "x64", 0x0100000c: "arm64" };
const PE_MACHINES = { 0x8664: "x64", 0xaa64: "arm64" };
/** The type of an ELF program header that names the dynamic linker (elf(5)). */
const PT_INTERP = 3;

/**
 * Returns the platform in Node's words, such as `linux-x64`, and whether the program needs a dynamic linker; null if these bytes
 * are not the beginning of a program for a known platform.
 *
 * @param {Buffer} bytes
 */
export function platformOf(bytes) {
  if (bytes.length < 64) return null;
  // ELF with 64 bits, little-endian.
  if (bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2 && bytes[5] === 1) {
    return named("linux", ELF_MACHINES[bytes.readUInt16LE(18)], isLinked(bytes));
  }
  // Mach-O with 64 bits. Every program on macOS is linked with the system's library, so this isn't reported.
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return named("darwin", MACH_O_CPUS[bytes.readUInt32LE(4)], false);
  // PE behind a DOS header.
  const pe = bytes.readUInt32LE(0x3c);
  if (bytes.readUInt16BE(0) === 0x4d5a && pe + 6 <= bytes.length && bytes.readUInt32BE(pe) === 0x50450000) {
    return named("win32", PE_MACHINES[bytes.readUInt16LE(pe + 4)], false);
  }
  return null;
}

function named(os, cpu, linked) {
  return cpu === undefined ? null : { platform: `${os}-${cpu}`, linked };
}

/** Returns whether an ELF program names a dynamic linker, which means that it runs only with a particular C library. */
function isLinked(bytes) {
  const [start, size, count] = [Number(bytes.readBigUInt64LE(32)), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  const types = Array.from({ length: count }, (_, index) => start + index * size);
  return types.some((at) => at + 4 <= bytes.length && bytes.readUInt32LE(at) === PT_INTERP);
}
