// SPDX-License-Identifier: MIT
// A page that moves, fed by live_server.mjs: what it shows while samples come, what stays as it is,
// and what it says when the connection is lost.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pieceOf, serve } from './live_server.mjs';
import { describe, FIREGLASS, open, plain, report, start, stop } from './report_harness.mjs';

const SECONDS = 14;
const GONE = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|503|401|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/;
let pieces;
let saved;

/**
 * What happens in a second: 1000 samples of two threads, the main one 600 ms in `even` or `odd` (by
 * the second) and 400 in `common`, the other one waiting. Each piece has tables of its own: the
 * functions of odd seconds come in another order.
 */
function second(k) {
	const at = k * 1000;
	const own = k % 2 ? 'odd' : 'even';
	const first = [
		`sample ${at} 600 0 cpu 1 main@/v/app.py:1;${own}@/v/app.py:${k % 2 ? 20 : 10};deep@/v/app.py:40`,
	];
	const then = [`sample ${at + 600} 400 0 cpu 1 main@/v/app.py:1;common@/v/app.py:30`];
	return describe([
		'fact cwd /v',
		'fact python 3.12.1',
		'process 100 shop',
		'thread 0 100 MainThread',
		'thread 0 101 worker',
		...(k % 2 ? [...then, ...first].sort((a, b) => parseInt(a.slice(7)) - parseInt(b.slice(7))) : [...first, ...then]),
		`sample ${at} 1000 1 waiting 0 run@/v/app.py:50;idle@/v/app.py:60`,
	]);
}

before(async () => {
	await start();
	const htmls = Array.from({ length: SECONDS }, (_, k) =>
		readFileSync(fileURLToPath(report(second(k))), 'utf8'),
	);
	pieces = htmls.map(pieceOf);
	[saved] = htmls;
});
after(stop);

/** A server with the first `count` seconds, and a window on it. */
function live(name, { count = 2, keepNs, fragment, ...options }, body) {
	test(name, async () => {
		const server = await serve(pieces.slice(0, count), { keepNs, saved });
		let next = count;
		try {
			const view = await open(server.address, { fragment, ...options });
			const { page } = view;
			const durationOf = async () =>
				plain((await page.locator('.head-facts li').allInnerTexts()).join(' ')).match(
					/([\d.]+) s\b/,
				)?.[1];
			Object.assign(view, {
				durationOf,
				/** Seconds more, until they are seen. */
				async more(n = 1, { seen = true } = {}) {
					for (let i = 0; i < n; i++) server.push(pieces[next++]);
					if (!seen) return page.waitForTimeout(1500);
					const kept = Math.min(next, (keepNs ?? 600e9) / 1e9);
					await page
						.locator('.head-facts li')
						.filter({ hasText: new RegExp(`^${kept}\\.0+ s$`) })
						.waitFor();
					if (kept < next) await page.waitForTimeout(1200); // the duration does not tell
					await view.settle();
				},
				/** The button is there for half a second at first. */
				tryNow: () => view.button('Try now').click({ timeout: 2000 }).catch(() => undefined),
				state: () => view.text('.live-what'),
				shows: () => page.getByRole('combobox', { name: 'Show' }),
				compare: () => page.getByRole('combobox', { name: 'Compare' }),
			});
			try {
				await view.more(0);
				await body(view, server);
			} finally {
				await view.close();
			}
		} finally {
			await server.close();
		}
	});
}

live('shows what there is, and then what comes', {}, async (view, server) => {
	assert.equal(await view.state(), 'Live');
	assert.equal(await view.durationOf(), '2.00');
	await view.tab('Table');
	const row = async (name) => plain(await view.row(name).innerText());
	assert.match(await row('odd'), /600 ms/);
	await view.more(2);
	assert.match(await row('odd'), /1\.20 s/);
	assert.match(await row('common'), /1\.60 s/);
	assert.match(await view.text('.head-facts'), /8 000 samples/);
	assert.match(await view.text('.live-more'), /^2 000 samples\/s$/);
	assert.deepEqual(await view.tracks(), ['shop (100)', 'MainThread', 'worker']);
	assert.match(server.asked.find((path) => path.includes('/stream')) ?? '', /since=0$/);
});

live('the ring keeps no more than it should', { count: 4, keepNs: 5e9 }, async (view) => {
	await view.tab('Table');
	await view.more(8);
	assert.equal(await view.durationOf(), '5.00');
	assert.match(await view.text('.head-facts'), /10 000 samples/);
	assert.match(plain(await view.row('common').innerText()), /2\.00 s/);
});

live('what is looked at stays', { count: 4, keepNs: 8e9 }, async (view) => {
	const { page } = view;
	// zoom of the flame graph, by a click: main > odd
	await view.clickBox(2, 0.05);
	const crumbs = await view.crumbs();
	assert.equal(crumbs.length, 3, String(crumbs));
	await view.more(2);
	assert.deepEqual(await view.crumbs(), crumbs);
	await view.press('Escape');
	// a text being typed
	await view.press('/');
	await page.keyboard.type('od');
	await view.more(1);
	await page.keyboard.type('d');
	assert.equal(await page.locator(':focus').inputValue(), 'odd');
	await page.keyboard.press('Escape');
	// a selected row, and which is focused
	await view.tab('Table');
	await view.row('common').click();
	await view.more(1);
	assert.match(plain(await page.locator('tr[aria-selected=true]').innerText()), /common/);
	assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('role')), 'grid');
	assert.match(await view.text('#details'), /common/);
	// open calls of the tree, and how far it is scrolled
	await view.tab('Call tree');
	const open = () => page.locator('[role=treegrid] tr[aria-expanded=true]').count();
	const before = await open();
	await view.more(1);
	assert.equal(await open(), before);
});

live('a range stays where it is, a window that ends now goes on', { count: 4 }, async (view) => {
	await view.drag('MainThread', 1000, 2000, [0, 4000]);
	await view.tab('Table');
	const odd = async () => plain(await view.row('odd').innerText());
	assert.match(await odd(), /600 ms/);
	assert.equal(await view.page.getByRole('row', { name: /even/ }).count(), 0);
	assert.equal(await view.shows().inputValue(), 'other');
	await view.more(2);
	assert.match(await odd(), /600 ms/);
	assert.match((await view.chips()).at(-1), /1 s – 2 s/);
	// the window: the second half up to now
	await view.page.keyboard.press('Escape');
	await view.shows().selectOption({ label: 'all that is kept' });
	await view.page.locator('.tl-bar').getByRole('button', { name: 'Zoom in (+)' }).click();
	await view.button('Follow now').waitFor();
	await view.click('Follow now');
	assert.equal(await view.button('Follow now').isVisible(), false);
	const window = await view.timeline();
	await view.more(1);
	assert.notEqual(await view.timeline(), window);
	assert.equal(await view.button('Follow now').isVisible(), false);
});

live('pause, and go on', {}, async (view) => {
	await view.tab('Table');
	await view.click('Pause');
	assert.equal(await view.state(), 'Paused');
	await view.more(3, { seen: false });
	assert.equal(await view.durationOf(), '2.00');
	assert.match(await view.text('.live-more'), /^3 s more have come since$/);
	await view.click('Go on');
	assert.equal(await view.durationOf(), '5.00');
	assert.equal(await view.state(), 'Live');
});

live('the last seconds, and now against before', { count: 13 }, async (view) => {
	await view.tab('Table');
	await view.shows().selectOption({ label: 'the last 10 s' });
	await view.settle();
	assert.match(await view.amount(), /^20\.00? s/);
	assert.ok((await view.chips()).includes('the last 10.0 s'), String(await view.chips()));
	const odd = async () => plain(await view.row('odd').innerText());
	await view.more(1);
	assert.match(await odd(), /3\.00 s/);
	const { last } = await view.fragment();
	assert.equal(last, '10s');
	await view.compare().selectOption({ index: 1 });
	await view.settle();
	assert.match((await view.chips()).join(), /against .* ago/);
	// 14 s: the last seven against the seven before
	assert.match(await view.amount(), /^14\.00? s/);
	await view.compare().selectOption({ label: 'nothing' });
	await view.settle();
	assert.equal((await view.chips()).join().includes('against'), false);
});

live('back leads back, also after some time', { count: 4, keepNs: 5e9 }, async (view) => {
	await view.drag('MainThread', 3000, 4000, [0, 4000]);
	await view.tab('Table');
	await view.more(2);
	await view.tab('Source');
	await view.page.goBack();
	await view.settle();
	assert.equal(
		await view.page.getByRole('tab', { name: 'Table' }).getAttribute('aria-selected'),
		'true',
	);
	// of 6 s the first is gone: what was at 3 s is at 2 s
	assert.match((await view.chips()).at(-1), /^2 s – 3 s/);
});

live('what would be lost is kept by a pause', { count: 4, keepNs: 5e9 }, async (view) => {
	await view.drag('MainThread', 500, 1500, [0, 4000]);
	await view.more(4, { seen: false });
	assert.equal(await view.state(), 'Paused');
	assert.match(await view.text('.toast'), /selected would be gone/);
	assert.match((await view.chips()).at(-1), /^0\.5 s – 1\.5 s/);
	await view.click('Go on');
	assert.equal(await view.state(), 'Live');
	assert.equal(await view.durationOf(), '5.00');
});

live('a link of another time brings what it can', {
	fragment: 'view=table&range=0s..1s&func=3&zoom=1.2&last=60s&mode=cpu&hidden=1',
}, async (view) => {
	assert.equal(await view.shows().inputValue(), '60000000000');
	assert.equal((await view.tracks()).length, 3);
	assert.match(plain(await view.page.locator('#details').innerText()), /^(?!.*Function: )/);
});

live('a lost connection is made again, and nothing is missing or twice', { forgive: GONE }, async (view, server) => {
	await view.more(1);
	server.cut();
	await view.page.waitForFunction(() => document.querySelector('.live')?.dataset.mood !== 'live');
	// pieces that come meanwhile are sent then, and the last ones again
	await view.more(2);
	assert.equal(await view.state(), 'Live');
	assert.match(await view.text('.head-facts'), /10 000 samples/);
	const again = server.asked.filter((path) => path.includes('/stream')).at(-1);
	assert.match(again, /since=17000000\d{11}$/);
	const { again: comeBack } = await server.vanish();
	await view.page.locator('.live-what', { hasText: 'Connection lost' }).waitFor();
	assert.match(await view.text('.live-more'), /does not answer|ended the connection/);
	await comeBack();
	await view.tryNow();
	await view.more(1);
	assert.match(await view.text('.head-facts'), /12 000 samples/);
	server.refuse('too many clients');
	await view.page.locator('.live-more', { hasText: 'too many clients' }).waitFor();
});

live('what is no piece is said, and tried again', { forgive: GONE }, async (view, server) => {
	server.write(Buffer.from([255, 255, 255, 255, 1, 2, 3]));
	await view.page.locator('.live-what', { hasText: 'Connection lost' }).waitFor();
	assert.match(await view.text('.live-more'), /damaged/);
	await view.tryNow();
	await view.more(1);
	assert.equal(await view.state(), 'Live');
});

live('sampling is stopped and started, files are saved', {}, async (view, server) => {
	await view.click('Stop sampling');
	await view.button('Start sampling').waitFor();
	assert.equal(await view.state(), 'Sampling is stopped');
	await view.click('Start sampling');
	await view.button('Stop sampling').waitFor();
	assert.ok(server.asked.includes('POST /api/v1/start'));
	await view.click('Save');
	const file = await view.download(() => view.item('Save as a page (.html)'));
	assert.match(file.name, /^fireglass-.*\.html$/);
	assert.match(file.bytes.toString(), /id="capture"/);
	assert.ok(server.asked.some((path) => /profile\?seconds=600&last=1&format=html/.test(path)));
});

live('every view lives', { count: 3 }, async (view) => {
	for (const tab of await view.page.getByRole('tab').allInnerTexts()) {
		await view.tab(tab);
		await view.more(1);
		assert.equal(await view.page.locator('.failure').count(), 0, tab);
		const box = (selector) => view.page.locator(selector).first().boundingBox();
		const [over, tabs] = [await box('#timeline'), await box('#tabs')];
		assert.ok(over.y + over.height <= tabs.y + 1, 'the timeline is above the tabs');
	}
});

const PROGRAM = `
import time
def busy():
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        sum(range(100))
print('ready', flush=True)
while True:
    busy()
    time.sleep(0.01)
`;

/** The real server, on a program of its own: its address. */
async function startServe(...options) {
	const child = spawn(
		FIREGLASS,
		['serve', '--listen', '127.0.0.1:0', ...options, '--', 'python3', '-c', PROGRAM],
		{ stdio: ['ignore', 'pipe', 'pipe'] },
	);
	const over = new Promise((done) => child.on('close', done));
	let said = '';
	const address = await new Promise((done, fail) => {
		for (const stream of [child.stdout, child.stderr]) {
			stream.on('data', (data) => {
				said += data;
				const found = /http:\S+/.exec(said);
				if (found) done(found[0]);
			});
		}
		over.then(() => fail(new Error(`it ended: ${said}`)));
	});
	return {
		address,
		async stop() {
			child.kill('SIGTERM');
			await over;
		},
	};
}

test('fed by fireglass serve', async () => {
	const server = await startServe('--keep', '30s');
	try {
		const view = await open(server.address, { forgive: GONE });
		const { page } = view;
		// more than `had` seconds, which it returns; the first are given in milliseconds
		const more = (had) =>
			page.waitForFunction((had) => {
				const text = document.querySelector('.chips-amount')?.textContent ?? '';
				const [, number, unit] = /^([\d.]+)\s(ms|s)\b/.exec(text) ?? [];
				const seconds = number / (unit === 'ms' ? 1000 : 1);
				return seconds > had && seconds;
			}, had);
		await view.tab('Table');
		await view.row('busy').waitFor();
		const before = await (await more(0)).jsonValue();
		await more(before + 1);
		assert.equal(await view.text('.live-what'), 'Live');
		assert.match(await view.text('.live-more'), /^\d+ samples\/s$/);
		await view.tab('Trust');
		assert.doesNotMatch(plain(await page.locator('.proof-view').innerText()), /left out/);
		await view.click('Stop sampling');
		await page.locator('.live-what', { hasText: 'Sampling is stopped' }).waitFor();
		await view.click('Start sampling');
		await page.locator('.live-what', { hasText: /^Live$/ }).waitFor();
		await view.click('Save');
		const page2 = await view.download(() => view.item('Save as a page (.html)'));
		assert.match(page2.bytes.toString(), /id="capture"/);
		await server.stop();
		await page.locator('.live-what', { hasText: /Connection lost|has ended/ }).waitFor();
		await view.close();
	} finally {
		await server.stop();
	}
});

test('without the token nothing is told', async () => {
	const server = await startServe();
	try {
		const bare = new URL(server.address);
		bare.search = '';
		const response = await fetch(bare);
		assert.equal(response.status, 401);
		assert.doesNotMatch(await response.text(), /"token"/);
	} finally {
		await server.stop();
	}
});
