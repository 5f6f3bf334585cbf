// SPDX-License-Identifier: MIT
// Reports made for a test, and a person's hands and eyes for them: what is on the page is found by
// what it is called, read as it is shown, and clicked, dragged and typed into.
//
// $FIREGLASS_BIN: the program; $FIREGLASS_DESCRIBE_CAPTURE and $FIREGLASS_MAKE_CAPTURE: the tools of
// tests/tools; $FIREGLASS_CHROMIUM: the browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const built = (variable, path) =>
	process.env[variable] || fileURLToPath(new URL(`../../build/${path}`, import.meta.url));
export const FIREGLASS = built('FIREGLASS_BIN', 'fireglass');
const DESCRIBE = built('FIREGLASS_DESCRIBE_CAPTURE', 'tests/describe_capture');
const MAKE_CAPTURE = built('FIREGLASS_MAKE_CAPTURE', 'tests/make_capture');
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
const LABELS_PX = 150; // of the timeline, left of its tracks

export const folder = mkdtempSync(join(tmpdir(), 'fireglass-report-'));
let browser;
let files = 0;

export async function start() {
	browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

export async function stop() {
	await browser?.close();
	rmSync(folder, { recursive: true });
}

// ---- captures and pages -----------------------------------------------------------------------------

export function writeTo(name, text) {
	const path = join(folder, name);
	writeFileSync(path, text);
	return path;
}

/** A capture from lines as tests/tools/describe_capture.c has them. */
export function describe(lines) {
	const path = join(folder, `${files++}.fgc`);
	execFileSync(DESCRIBE, [path], { input: `${lines.join('\n')}\n`, stdio: ['pipe', 2, 2] });
	return path;
}

/** One of tests/unit/golden_captures.h. */
export function golden(name) {
	const path = join(folder, `${files++}.fgc`);
	execFileSync(MAKE_CAPTURE, [name, 'fgc', path]);
	return path;
}

/** The address of the page of a capture. */
export function report(capture, ...options) {
	const path = join(folder, `${files++}.html`);
	execFileSync(FIREGLASS, ['report', capture, '-o', path, ...options], { stdio: 'pipe' });
	return pathToFileURL(path).href;
}

/** What the command line says of the same capture. */
export function exported(capture, ...options) {
	return execFileSync(FIREGLASS, ['export', capture, '-o', '-', ...options], {
		encoding: 'utf8',
		maxBuffer: 1 << 28,
		stdio: ['ignore', 'pipe', 'ignore'],
	});
}

// ---- a page, looked at ------------------------------------------------------------------------------

/**
 * A window on a page. close() fails if the page had errors, but those that `forgive` matches, or asked
 * for anything but from its own server.
 */
export async function open(address, options = {}) {
	const { width = 1300, height = 1300, scheme = 'light', fragment = '', forgive, ...more } = options;
	const context = await browser.newContext({
		viewport: { width, height },
		colorScheme: scheme,
		reducedMotion: 'reduce', // zooms arrive at once
		acceptDownloads: true,
		...more,
	});
	await context.grantPermissions(['clipboard-read', 'clipboard-write']);
	const page = await context.newPage();
	page.setDefaultTimeout(8000);
	const faults = [];
	page.on('pageerror', (error) => faults.push(String(error)));
	page.on('console', (message) => {
		const text = message.text();
		if (message.type() === 'error' && !forgive?.test(text)) faults.push(`console: ${text}`);
	});
	page.on('dialog', (dialog) => {
		faults.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	page.on('request', (request) => {
		const url = request.url();
		const own = url.split('#')[0] === address || (/^http/.test(address) && new URL(url).origin === new URL(address).origin);
		if (!own && !/^(data|blob):/.test(url)) faults.push(`request: ${url}`);
	});
	page.on('popup', (popup) => faults.push(`popup: ${popup.url()}`));
	await page.addInitScript(() => {
		globalThis.fireglassHurt = () => {
			throw new Error('a name was executed');
		};
	});
	await page.goto(fragment ? `${address}#${fragment}` : address);
	const view = makeHands(page);
	await page.locator('[role=tab], .note b').first().waitFor();
	await view.settle();
	view.close = async () => {
		const failures = await page.locator('.failure').allInnerTexts();
		await context.close();
		assert.deepEqual([...faults, ...failures], []);
	};
	return view;
}

/** A test with a window of its own, closed (and checked for faults) at the end. */
export function look(name, address, options, body) {
	test(name, async () => {
		const view = await open(address(), options);
		try {
			await body(view);
		} finally {
			await view.close();
		}
	});
}

/** As it is read: white space of any kind is a space. */
export const plain = (text) => text.replace(/\s+/g, ' ').trim();

/** Squared distance of two colours, "r,g,b" or "rgb(r, g, b)". */
export function apart(a, b) {
	const [x, y] = [a, b].map((colour) => colour.match(/\d+/g).slice(0, 3).map(Number));
	return x.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0);
}

/** What a browser makes of the text of a picture. */
export async function readSvg(svg) {
	const page = await browser.newPage();
	const read = await page.evaluate((text) => {
		const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
		return {
			error: parsed.querySelector('parsererror')?.textContent ?? '',
			texts: [...parsed.querySelectorAll('text, title')].map((e) => e.textContent).join('\n'),
			alive: parsed.querySelectorAll('script, foreignObject, image, a').length,
			width: Number(parsed.documentElement.getAttribute('width')),
		};
	}, svg);
	await page.close();
	return read;
}

function makeHands(page) {
	const settle = () =>
		page.evaluate(
			() =>
				new Promise((done) => {
					const frame = (left) =>
						requestAnimationFrame(() => (left ? frame(left - 1) : setTimeout(done)));
					frame(2);
				}),
		);
	const text = async (selector) => plain(await page.locator(selector).first().innerText());
	const button = (name, exact = true) => page.getByRole('button', { name, exact });
	const hands = {
		page,
		settle,
		text,
		button,
		/** What is in the address, as a plain object. */
		async fragment() {
			await page.waitForTimeout(600); // moves are written when things have come to rest, twice
			const words = (await page.evaluate(() => location.hash.slice(1))).split('&').filter(Boolean);
			return Object.fromEntries(
				words.map((word) => {
					const [key, ...value] = word.split('=');
					return [key, decodeURIComponent(value.join('='))];
				}),
			);
		},
		/** Writes into the address, as one does by hand. */
		async go(fragment) {
			await page.evaluate((to) => {
				location.hash = to;
			}, fragment);
			await settle();
		},
		async press(...keys) {
			for (const key of keys) await page.keyboard.press(key);
			await settle();
		},
		async click(name, options) {
			await button(name).first().click(options);
			await settle();
		},
		async tab(name) {
			await page.getByRole('tab', { name, exact: true }).click();
			await settle();
		},
		async mode(name) {
			await page.getByRole('radio', { name, exact: true }).click();
			await settle();
		},
		/** A list to choose from, by its label. */
		list: (label) => page.getByRole('combobox', { name: label }).filter({ visible: true }).first(),
		async choose(label, value) {
			await hands.list(label).selectOption(value);
			await settle();
		},
		async wheel(x, y, ...keys) {
			for (const key of keys) await page.keyboard.down(key);
			await page.mouse.wheel(x, y);
			await page.waitForTimeout(50); // it is sent, not waited for
			for (const key of keys) await page.keyboard.up(key);
			await settle();
		},
		tip: () => text('.tip'),
		isTipShown: () => page.locator('.tip').isVisible(),
		chips: async () => (await page.locator('.chip-text').allInnerTexts()).map(plain),
		amount: () => text('.chips-amount'),
		/** An item of the menu that is open. */
		async item(name) {
			await page.getByRole('menuitem', { name }).click();
			await settle();
		},
		menu: async () => (await page.getByRole('menuitem').allInnerTexts()).map(plain),
		async download(act) {
			const [download] = await Promise.all([page.waitForEvent('download'), act()]);
			return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
		},
		clipboard: () => page.evaluate(() => navigator.clipboard.readText()),
		/** A pixel of the picture at a point of the window, "r,g,b". */
		async colourAt(x, y) {
			return page.evaluate(
				([px, py]) => {
					const under = document.elementsFromPoint(px, py).filter((e) => e.tagName === 'CANVAS');
					const canvas = under.at(-1); // the lowest: others lie over it
					const box = canvas.getBoundingClientRect();
					const scale = canvas.width / box.width;
					const { data } = canvas
						.getContext('2d')
						.getImageData(
							Math.floor((px - box.left) * scale),
							Math.floor((py - box.top) * scale),
							1,
							1,
						);
					return [...data].slice(0, 3).join(',');
				},
				[x, y],
			);
		},
		/** Whether anything is to be seen: colours of a picture, how often each. */
		colours: (selector) =>
			page
				.locator(selector)
				.first()
				.evaluate((canvas) => {
					const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
					const counts = {};
					for (let i = 0; i < data.length; i += 4 * 7) {
						const key = `${data[i]},${data[i + 1]},${data[i + 2]}`;
						if (data[i + 3]) counts[key] = (counts[key] ?? 0) + 1;
					}
					return counts;
				}),
	};
	return Object.assign(hands, timelineHands(hands), flameHands(hands), rowHands(hands));
}

// ---- the timeline -----------------------------------------------------------------------------------

function timelineHands({ page, settle }) {
	const box = (locator) => locator.boundingBox();
	const canvas = page.locator('.tl-canvas');
	/** x of a moment, if the timeline shows [from, to) ms. */
	const xOf = async (ms, [from, to]) => {
		const { x, width } = await box(canvas);
		const left = width < 640 ? 0 : LABELS_PX;
		return x + left + ((ms - from) / (to - from)) * (width - left);
	};
	/** The rows with their names, from top to bottom. */
	const tracks = async () =>
		(await page.locator('.tl-label').allInnerTexts()).map((text) =>
			plain(text).replace(/^▾ ?/, ''),
		);
	/** y of the middle of a frame: 1 is the root, 0 the middle of the row. */
	const yOf = async (track, depth = 0) => {
		const labels = page.locator('.tl-label');
		const names = await tracks();
		// "worker 2" is the second one called worker
		const [, name, nth] = names.includes(track)
			? ['', track, 1]
			: (/^(.*) (\d)$/.exec(track) ?? []);
		const at = names.map((n, i) => (n === name ? i : -1)).filter((i) => i >= 0)[nth - 1] ?? -1;
		assert.ok(at >= 0, `no track ${track} among ${names.join(', ')}`);
		const { y } = await box(labels.nth(at));
		const next = at + 1 < names.length ? (await box(labels.nth(at + 1))).y : null;
		const scroll = await box(page.locator('.tl-scroll'));
		const bottom = next ?? scroll.y + scroll.height;
		return depth ? bottom - 2 - (depth - 0.5) * FRAME_PX : (y + bottom) / 2;
	};
	return {
		tracks,
		xOf,
		yOf,
		async point(track, ms, window, depth = 1) {
			await page.mouse.move(await xOf(ms, window), await yOf(track, depth));
			await settle();
		},
		async pick(track, ms, window, depth = 1) {
			await page.mouse.click(await xOf(ms, window), await yOf(track, depth));
			await settle();
		},
		/** Drags over a time; keys: held meanwhile. */
		async drag(track, from, to, window, ...keys) {
			const y = await yOf(track);
			for (const key of keys) await page.keyboard.down(key);
			await page.mouse.move(await xOf(from, window), y);
			await page.mouse.down();
			await page.mouse.move(await xOf((from + to) / 2, window), y, { steps: 3 });
			await page.mouse.move(await xOf(to, window), y, { steps: 3 });
			await settle();
			const said = (await page.locator('.tip').isVisible())
				? plain(await page.locator('.tip').innerText())
				: '';
			await page.mouse.up();
			for (const key of keys) await page.keyboard.up(key);
			await settle();
			return said;
		},
		/** What it says of itself to those who do not see it. */
		timeline: async () => plain(await page.locator('.tl-scroll').getAttribute('aria-label')),
		said: async () => plain((await page.locator('.tl-live').textContent()) ?? ''),
		/** Legend: { name: colour }. */
		legend: (selector) =>
			page
				.locator(`${selector} li`)
				.evaluateAll((items) =>
					Object.fromEntries(
						items.map((item) => [
							item.textContent.trim(),
							getComputedStyle(item.querySelector('span')).backgroundColor,
						]),
					),
				),
	};
}

const FRAME_PX = 9; // of a track with room for all of its stacks

// ---- flame graph, chart, sandwich -------------------------------------------------------------------

function flameHands({ page, settle }) {
	const visible = (selector) => page.locator(selector).filter({ visible: true }).first();
	return {
		/** The line that tells of the focused frame. */
		status: async () => plain(await visible('.flame-status').innerText()),
		crumbs: async () =>
			(await page.locator('.flame-crumbs li').allInnerTexts()).map(plain).filter((t) => t !== '…'),
		/**
		 * A point of the flame graph: level 0 is the root, share 0 .. 1 of the width. With `top` the root
		 * is on top.
		 */
		async flamePoint(level, share, top = false) {
			const box = await visible('.flame-holder').boundingBox();
			const y = top ? box.y + (level + 0.5) * ROW_PX : box.y + box.height - (level + 0.5) * ROW_PX;
			return [box.x + share * box.width, y];
		},
		/** Moves to a box and says what its tip says. */
		async hoverBox(level, share, top = false) {
			const [x, y] = await this.flamePoint(level, share, top);
			await page.mouse.move(x - 1, y);
			await page.mouse.move(x, y);
			await settle();
			return (await page.locator('.tip').isVisible())
				? plain(await page.locator('.tip').innerText())
				: '';
		},
		async clickBox(level, share, options = {}) {
			const [x, y] = await this.flamePoint(level, share, options.top);
			await page.mouse.click(x, y, options);
			await settle();
		},
		/** Opens the menu of a box. */
		async menuAt(level, share) {
			await this.clickBox(level, share, { button: 'right' });
			await page.getByRole('menu').waitFor();
		},
		/** Focuses the picture, so that keys are for it. */
		async focusFlame() {
			await visible('.flame-scroll').focus();
		},
	};
}

const ROW_PX = 19;

// ---- tables -----------------------------------------------------------------------------------------

function rowHands({ page, settle }) {
	const table = () =>
		page.locator('table[role=grid], table[role=treegrid]').filter({ visible: true });
	/** The rows that are in the page, by the names of columns. */
	const rows = () =>
		table().evaluate((element) => {
			const tidy = (text) => text.replace(/\s+/g, ' ').trim();
			const heads = [...element.tHead.rows[0].cells].map((cell) => tidy(cell.innerText));
			return [...element.tBodies[0].rows]
				.filter((row) => row.getAttribute('aria-hidden') !== 'true')
				.map((row) => {
					// an amount and its share, which lie apart
					const textOf = (cell) =>
						cell.classList.contains('amount')
							? [...cell.children].map((part) => tidy(part.innerText)).join(' · ') ||
								tidy(cell.innerText)
							: tidy(cell.innerText);
					const cells = [...row.cells].map((cell, i) => [heads[i], textOf(cell)]);
					return {
						...Object.fromEntries(cells),
						level: Number(row.getAttribute('aria-level') ?? 0),
						open: row.getAttribute('aria-expanded'),
						chosen: row.classList.contains('cursor'),
						lit: row.classList.contains('lit'),
						match: row.classList.contains('match'),
					};
				});
		});
	return {
		rows,
		names: async () => (await rows()).map((row) => row.Function ?? row.File ?? row.Module),
		/** The row of a function, as an element. */
		row: (name) =>
			table()
				.locator('tbody tr')
				.filter({ has: page.getByText(name, { exact: true }) })
				.first(),
		/** Clicks on a column. */
		async sort(name) {
			const heads = table().locator('thead');
			await heads.getByRole('button', { name, exact: true }).first().click();
			await settle();
		},
	};
}
