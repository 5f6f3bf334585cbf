// SPDX-License-Identifier: MIT
// Flame graphs made for a test, and a browser to look at them with.
//
// $FIREGLASS_MAKE_PROFILE: the tool of tests/tools; $FIREGLASS_BIN: the program; $FIREGLASS_CHROMIUM:
// the browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const MAKE_PROFILE =
	process.env.FIREGLASS_MAKE_PROFILE ||
	fileURLToPath(new URL('../../build/tests/make_profile', import.meta.url));
const FIREGLASS =
	process.env.FIREGLASS_BIN || fileURLToPath(new URL('../../build/fireglass', import.meta.url));
const CHROMIUM = process.env.FIREGLASS_CHROMIUM || '/usr/bin/chromium';
const FLAGS = [
	'--headless',
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
];

const folder = mkdtempSync(join(tmpdir(), 'fireglass-browser-'));
let browser;
let files = 0;

export async function start() {
	browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

export async function stop() {
	await browser.close();
	rmSync(folder, { recursive: true });
}

// Writes a file and returns its address.
export function makeFile(ending, content) {
	const path = join(folder, `${files++}.${ending}`);
	writeFileSync(path, content);
	return pathToFileURL(path).href;
}

export function makeSvg(folded, ...options) {
	return makeFile(
		'svg',
		execFileSync(MAKE_PROFILE, options, { input: folded, maxBuffer: 1 << 28 }),
	);
}

// A differential flame graph of two folded texts.
export function makeDiff(before, after, ...options) {
	const sides = [before, after].map((text, i) => {
		const path = join(folder, `${i}.folded`);
		writeFileSync(path, text);
		return path;
	});
	return makeFile(
		'svg',
		execFileSync(FIREGLASS, ['diff', ...sides, '-f', 'svg', ...options], { maxBuffer: 1 << 28 }),
	);
}

// A person's window on a flame graph. `close` fails if the page had errors or asked for anything else.
export async function open(
	address,
	{ width = 1200, height = 800, scheme = 'light', javaScriptEnabled = true } = {},
) {
	const context = await browser.newContext({
		viewport: { width, height },
		colorScheme: scheme,
		javaScriptEnabled,
	});
	const page = await context.newPage();
	const faults = [];
	page.on('pageerror', (error) => faults.push(String(error)));
	page.on('dialog', (dialog) => {
		faults.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	page.on('request', (request) => {
		if (
			!request.url().startsWith(pathToFileURL(folder).href) &&
			!request.url().startsWith('data:')
		)
			faults.push(`request: ${request.url()}`);
	});
	await page.addInitScript(() => {
		globalThis.fireglassHurt = () => {
			throw new Error('a name was executed');
		};
	});
	await page.goto(address);
	const view = makeView(page);
	if (javaScriptEnabled) await view.settle();
	view.close = async () => {
		await context.close();
		assert.deepEqual(faults, []);
	};
	return view;
}

function makeView(page) {
	const settle = () =>
		page.evaluate(
			() =>
				new Promise((done) => {
					requestAnimationFrame(() => requestAnimationFrame(() => done()));
				}),
		);
	// as text: the driver takes its time over large objects
	const frames = async () =>
		JSON.parse(
			await page.evaluate(() => JSON.stringify(document.querySelector('canvas').frames())),
		);
	const frame = async (name) => {
		const all = await frames();
		const found = all.find((each) => (name === 'rest' ? each.rest : each.name === name));
		assert.ok(
			found,
			`no frame ${name} among ${all
				.slice(0, 40)
				.map((each) => each.name)
				.join(', ')}`,
		);
		return found;
	};
	const at = ({ x, y, width, height }) => [x + width / 2, y + height / 2];
	return {
		page,
		settle,
		frames,
		frame,
		async point(name) {
			await page.mouse.move(...at(await frame(name)));
			await settle();
		},
		async click(name) {
			await page.mouse.click(...at(await frame(name)));
			await settle();
		},
		async press(...keys) {
			for (const key of keys) await page.keyboard.press(key);
			await settle();
		},
		async search(text) {
			await page.keyboard.press('Control+f');
			await page.keyboard.type(text);
			await settle();
		},
		text: (selector) =>
			page
				.locator(selector)
				.innerText()
				.then((text) => text.replace(/\s+/g, ' ').trim()),
		tip: () =>
			page
				.locator('.tip')
				.innerText()
				.then((text) => text.replace(/\s+/g, ' ').trim()),
		crumb: () => page.locator('.crumbs b').innerText(),
		zoomed: () => page.evaluate(() => location.hash || '#'),
		// not inputValue(): that knows elements of HTML documents only
		typed: () => page.locator('input').evaluate((input) => input.value),
		async colourOf(name) {
			const { x, y } = await frame(name);
			return page.evaluate(
				([px, py]) => {
					const canvas = document.querySelector('canvas');
					const box = canvas.getBoundingClientRect();
					const scale = canvas.width / box.width;
					return [
						...canvas
							.getContext('2d')
							.getImageData((px - box.left) * scale, (py - box.top) * scale, 1, 1)
							.data,
					]
						.slice(0, 3)
						.join(',');
				},
				[x + 2.5, y + 10],
			);
		},
	};
}
