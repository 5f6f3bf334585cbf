#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/**
 * Bundles a program and runs it: node tools/run.mjs bench/model.ts [ARGUMENTS]. Exits with its
 * status, or 1 if it cannot be bundled.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('..', import.meta.url));
// tools/run_tests.py keeps the modules outside of the tree
const MODULES = process.env.FIREGLASS_WEB_MODULES ?? join(WEB, 'node_modules');
const esbuild = createRequire(resolve(MODULES, 'x.js'))('esbuild');

const [program, ...args] = process.argv.slice(2);
if (!program) {
	console.error('usage: node tools/run.mjs PROGRAM.ts [ARGUMENTS]');
	process.exit(2);
}

const out = mkdtempSync(join(tmpdir(), 'fireglass-web-'));
let status = 1;
try {
	const outfile = join(out, 'program.mjs');
	esbuild.buildSync({
		absWorkingDir: WEB,
		entryPoints: [program],
		outfile,
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node18',
		sourcemap: 'inline',
		logLevel: 'warning',
	});
	const run = spawnSync(process.execPath, ['--enable-source-maps', outfile, ...args], {
		stdio: 'inherit',
	});
	status = run.status ?? 1;
} catch (error) {
	// esbuild has said what is wrong with the sources
	if (!error.errors) console.error(error);
} finally {
	rmSync(out, { recursive: true, force: true });
}
process.exit(status);
