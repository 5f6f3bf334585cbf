// SPDX-License-Identifier: MIT
// The differential flame graph: what grew, shrank, is new and is gone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDiff, open, start, stop } from './harness.mjs';

const BEFORE = `main (app.py:1);load (app.py:5);parse (json/decoder.py:3) 2000
main (app.py:1);render (views.py:9);escape (markup.py:2) 3000
main (app.py:1);render (views.py:9);old_cache (cache.py:4);get (cache.py:9) 1000
main (app.py:1);render (views.py:9) 1000
main (app.py:1);db (db.py:3) 3000
`;
const AFTER = `main (app.py:2);load (app.py:6);parse (json/decoder.py:4) 1950
main (app.py:2);render (views.py:10);escape (markup.py:3) 4500
main (app.py:2);render (views.py:10);new_cache (cache.py:4) 550
main (app.py:2);render (views.py:10) 1000
main (app.py:2);db (db.py:4) 2000
`;
let address;
let absolute;

before(async () => {
	await start();
	address = makeDiff(BEFORE, AFTER);
	absolute = makeDiff(BEFORE, AFTER, '--absolute');
});
after(stop);

function look(name, ofWhat, options, body) {
	test(name, async () => {
		const view = await open(ofWhat(), options);
		try {
			await body(view);
		} finally {
			await view.close();
		}
	});
}
const ofShares = () => address;

look('says what is compared', ofShares, {}, async (view) => {
	assert.match(await view.page.title(), /^1\.folded compared with 0\.folded$/);
	assert.equal(
		await view.text('.totals'),
		'0.folded, 10 000 samples → 1.folded, 10 000 samples',
	);
	assert.equal(await view.text('.legend'), 'gone shrank within the sampling error grew new');
});

look('is as wide as B, and shows what is gone at its place', ofShares, {}, async (view) => {
	const all = await view.frame('all');
	// B's whole and the tenth that is gone
	const share = (frame) => (frame.width / all.width) * 1.1;
	assert.ok(Math.abs(share(await view.frame('escape')) - 0.45) < 0.005);
	assert.ok(Math.abs(share(await view.frame('db')) - 0.2) < 0.005);
	const gone = await view.frame('old_cache');
	assert.ok(Math.abs(share(gone) - 0.1) < 0.005);
	const render = await view.frame('render');
	assert.ok(gone.x >= render.x && gone.x + gone.width <= render.x + render.width + 0.01);
	assert.equal((await view.frame('get')).width, gone.width);
});

look('labels say the change', ofShares, {}, async (view) => {
	assert.equal((await view.frame('escape')).label, 'escape +15.00 pp (markup.py)');
	assert.equal((await view.frame('db')).label, 'db −10.00 pp (db.py)');
	assert.equal((await view.frame('parse')).label, 'parse (json/decoder.py)');
	assert.equal((await view.frame('new_cache')).label, 'new_cache new (cache.py)');
	assert.equal((await view.frame('get')).label, 'get gone (cache.py)');
});

look('details say both sides', ofShares, {}, async (view) => {
	await view.point('escape');
	assert.equal(
		await view.tip(),
		'escape markup.py total 30.00 % → 45.00 % · +15.00 pp times 1.50 self 30.00 % → 45.00 % · +15.00 pp samples 3000 → 4500',
	);
	await view.point('parse');
	assert.match(await view.tip(), /within the sampling error/);
	await view.point('get');
	assert.match(await view.tip(), /10\.00 % → 0\.00 % .* gone: not in B/);
	await view.point('new_cache');
	assert.match(await view.tip(), /0\.00 % → 5\.50 % .* new: not in A/);
});

for (const scheme of ['light', 'dark'])
	look(`colours tell changes apart, ${scheme}`, ofShares, { scheme }, async (view) => {
		const names = ['escape', 'db', 'parse', 'new_cache'];
		const colours = await Promise.all(names.map((name) => view.colourOf(name)));
		assert.equal(new Set(colours).size, names.length);
		const [escape, db] = colours.map((colour) => colour.split(',').map(Number));
		assert.ok(escape[0] > escape[2] + 40, 'what grew is red');
		assert.ok(db[2] > db[0] + 40, 'what shrank is blue');
		assert.equal(await view.colourOf('all'), await view.colourOf('parse'));
	});

look('zooms and searches as any flame graph', ofShares, {}, async (view) => {
	await view.click('render');
	assert.equal((await view.frame('render')).width, (await view.frame('all')).width);
	await view.press('Escape');
	await view.search('cache');
	const frames = await view.frames();
	const hits = frames.filter(({ hit }) => hit).map(({ name }) => name);
	assert.deepEqual(hits.sort(), ['get', 'new_cache', 'old_cache']);
	await view.press('Escape', 'Escape', '?');
	assert.match(await view.text('dialog'), /A is compared with B/);
});

look('absolute values are counts', () => absolute, {}, async (view) => {
	await view.point('escape');
	assert.match(await view.tip(), /total 3000 → 4500 · \+1500 times 1\.50/);
});

look('is a picture without scripts', ofShares, { javaScriptEnabled: false }, async (view) => {
	const rects = await view.page.locator('#fireglass-still rect').evaluateAll((all) =>
		all.map((rect) => [rect.getAttribute('class'), getComputedStyle(rect).fill]),
	);
	const fills = new Map(rects);
	for (const css of ['e0', 'n0', 'x0']) assert.ok(fills.has(css), css);
	assert.match(fills.get('x0'), /gone/);
	const titles = await view.page.locator('#fireglass-still title').allTextContents();
	assert.ok(titles.includes('db (db.py) – 30.00 % → 20.00 %, -10.00 pp'));
});
