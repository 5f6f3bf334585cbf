#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/**
 * Bundles the unit tests and runs them: node tools/test.mjs [NAME...] [-- OPTIONS of node]
 *
 * NAME is (a part of) the name of a file in test/; without one all *.test.ts are run. Exits with
 * the status of node, or 1 if there is nothing to run.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('..', import.meta.url));
// tools/run_tests.py keeps the modules outside of the tree
const MODULES = process.env.FIREGLASS_WEB_MODULES ?? join(WEB, 'node_modules');
const esbuild = createRequire(resolve(MODULES, 'x.js'))('esbuild');

const given = process.argv.slice(2);
const at = given.indexOf('--');
const names = at < 0 ? given : given.slice(0, at);
const options = at < 0 ? [] : given.slice(at + 1);

const tests = readdirSync(join(WEB, 'test')).filter(
	(name) =>
		name.endsWith('.test.ts') &&
		(names.length === 0 || names.some((part) => join('test', name).includes(part))),
);
if (tests.length === 0) {
	console.error('test.mjs: there is no such test');
	process.exit(1);
}

const out = mkdtempSync(join(tmpdir(), 'fireglass-web-'));
let status = 1;
try {
	esbuild.buildSync({
		absWorkingDir: WEB,
		entryPoints: tests.map((name) => join('test', name)),
		outdir: out,
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node18',
		sourcemap: 'inline',
		outExtension: { '.js': '.mjs' },
		logLevel: 'warning',
	});
	const files = tests.map((name) => join(out, name.replace(/\.ts$/, '.mjs')));
	const run = spawnSync(
		process.execPath,
		['--enable-source-maps', '--test', ...options, ...files],
		{ stdio: 'inherit', cwd: WEB },
	);
	status = run.status ?? 1;
} catch (error) {
	// esbuild has said what is wrong with the sources
	if (!error.errors) console.error(error);
} finally {
	rmSync(out, { recursive: true, force: true });
}
process.exitCode = status;
