// SPDX-License-Identifier: MIT
// The page around the views: links, themes, phones, help, exports, printing; and names that are out
// to hurt it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HURT, shopCapture } from './report_captures.mjs';
import {
	apart,
	describe,
	exported,
	golden,
	look,
	open,
	plain,
	readSvg,
	report,
	start,
	stop,
	writeTo,
} from './report_harness.mjs';

const VIEWS = [
	'Flame graph',
	'Flame chart',
	'Call tree',
	'Table',
	'Sandwich',
	'Source',
	'Heat map',
	'Trust',
];
const ALL = [0, 4000];
let shop;
let capture;

before(async () => {
	await start();
	capture = shopCapture();
	shop = report(capture);
});
after(stop);
const ofShop = () => shop;

look('says what was recorded', ofShop, {}, async (view) => {
	assert.match(await view.page.title(), /fireglass$/);
	const head = await view.text('#head');
	for (const word of [
		'Python 3.12.1',
		'4.00 s',
		'12 400 samples',
		'1 kHz',
		'2 processes',
		'4 threads',
		'7 ticks missed',
	]) {
		assert.ok(head.includes(word), `${word} in: ${head}`);
	}
	assert.deepEqual(await view.page.getByRole('tab').allInnerTexts(), VIEWS);
});

look('each view by its tab, its number and its link', ofShop, {}, async (view) => {
	for (const [i, name] of VIEWS.entries()) {
		await view.tab(name);
		const tab = view.page.getByRole('tab', { name, exact: true });
		assert.equal(await tab.getAttribute('aria-selected'), 'true');
		assert.equal(await view.page.getByRole('tabpanel').count(), 1);
		await view.press('1');
		await view.press(String(i + 1));
		assert.equal(await tab.getAttribute('aria-selected'), 'true', `key ${i + 1}`);
	}
	for (let i = 0; i < 3; i++) await view.page.goBack();
	await view.settle();
	assert.equal(
		await view.page.getByRole('tab', { name: 'Heat map' }).getAttribute('aria-selected'),
		'true',
	);
});

look('who looks for what is busy is told of the modes', ofShop, {}, async (view) => {
	const hint = view.button('mostly waiting: try CPU');
	// 9000 of 12 400 samples
	assert.match(await hint.getAttribute('title'), /^72\.6 % of what is shown/);
	await view.drag('MainThread', 0, 200, ALL); // the second worker waits, the others run
	assert.equal(await hint.isVisible(), false);
	await view.press('Escape');
	await hint.click();
	await view.settle();
	assert.equal((await view.fragment()).mode, 'cpu');
	assert.equal(await hint.isVisible(), false);
	await view.mode('Wall');
	assert.equal(await hint.isVisible(), false, 'the modes are known');
});

look('the address is right when it is read', ofShop, {}, async (view) => {
	const { page } = view;
	const hash = () => page.evaluate(() => decodeURIComponent(location.hash));
	for (const event of ['blur', 'copy', 'pagehide']) {
		await view.go('');
		await view.press('+'); // a zoom comes to rest some time later
		await page.evaluate((name) => dispatchEvent(new Event(name)), event);
		assert.match(await hash(), /^#window=/, event);
	}
	await view.go('');
	await view.press('+');
	await view.click('Export');
	await view.item('Copy link');
	assert.match(await view.clipboard(), /#window=/);
});

const NONSENSE =
	/NaN|undefined|Infinity|\[object|(^|[^\d.])[-\u2212]0(?![.\d])|(?<![\d.,\u202f])1 (samples|threads|ticks|calls|functions|rows|lines|frames|processes|bytes)\b/;

test('with hardly anything in it a page says nothing senseless', async () => {
	const head = ['process 1 a', 'thread 0 1 MainThread'];
	const captures = {
		one: describe([...head, 'sample 0 1 0 cpu 1 main']),
		'not readable': describe([...head, 'sample 0 1 0 waiting 0 -', 'loss 0 1']),
		'without length': describe([
			'fact period_ns 0',
			...head,
			'thread 0 2 w',
			'sample 0 1 0 unknown 0 main@/x/y.py:3',
			'sample 0 1 1 cpu 4 main@/x/y.py:3;b',
			'marker 0 0 0 x y',
		]),
		'a count': writeTo('one.folded', 'a;b 1\n'),
	};
	for (const [name, made] of Object.entries(captures)) {
		const view = await open(report(made));
		const views = await view.page.getByRole('tab').allInnerTexts();
		const look = async (where) => {
			const said = await view.page.evaluate(() => [
				...document.body.innerText.split('\n'),
				...[...document.querySelectorAll('[title], [aria-label], .tl-live')].flatMap((e) => [
					e.title ?? '',
					e.getAttribute('aria-label') ?? '',
					e.textContent.slice(0, 200),
				]),
			]);
			const wrong = said.filter((text) => NONSENSE.test(text));
			assert.deepEqual(wrong, [], `${name}, ${where}`);
		};
		for (const words of ['', 'unit=samples', 'unit=percent', 'range=0s..1ns', 'mode=gil']) {
			await view.go(`${words}&func=0&sample=0`);
			for (const each of views) {
				await view.tab(each);
				await look(`${each}, ${words}`);
			}
		}
		await view.page.mouse.move(300, 250);
		await view.settle();
		await look('timeline');
		await view.close();
	}
});

/** What is seen of a page, as far as a link should bring it back. */
async function seen(view) {
	return {
		selected: plain(await view.page.locator('[role=tab][aria-selected=true]').innerText()),
		chips: await view.chips(),
		amount: await view.amount(),
		timeline: await view.timeline(),
		tracks: await view.tracks(),
		mode: plain(await view.page.locator('#tools [role=radio][aria-checked=true]').innerText()),
		panel: await view.page.locator('[role=tabpanel]:not([hidden])').evaluate((panel) => {
			// which frame has the focus is not part of a link
			for (const each of panel.querySelectorAll('.flame-status')) each.textContent = '';
			return panel.innerText.replace(/\s+/g, ' ').trim();
		}),
		said: await view.text('#details'),
	};
}

test('a link brings back what was seen', async () => {
	const steps = {
		async flame(view) {
			await view.drag('MainThread', 500, 2500, ALL);
			await view.mode('CPU');
			await view.choose('Colour', 'state');
			await view.clickBox(1, 0.2);
			await view.press('/');
			await view.page.keyboard.type('parse');
		},
		async table(view) {
			await view.tab('Table');
			await view.choose('in', 'samples');
			await view.sort('Total');
			await view.page.getByRole('searchbox', { name: /Filter the rows/ }).fill('app');
			await view.row('parse').click();
		},
		async others(view) {
			await view.page.locator('.tl-label', { hasText: 'worker' }).nth(1).click();
			await view.item('Hide');
			await view.pick('worker', 250, ALL);
			await view.drag('MainThread', 0, 1000, ALL);
			await view.drag('MainThread', 1000, 2000, ALL, 'Shift');
			await view.choose('by', 'modules');
			await view.tab('Call tree');
			await view.click('Inverted');
			await view.press('+');
		},
	};
	for (const [name, step] of Object.entries(steps)) {
		const view = await open(shop);
		await step(view);
		await view.settle();
		await view.fragment(); // it has come to rest
		const link = await view.page.evaluate(() => location.hash.slice(1));
		const before = await seen(view);
		await view.close();
		const again = await open(shop, { fragment: link });
		assert.deepEqual(await seen(again), before, `${name}: ${link}`);
		assert.equal(await again.page.evaluate(() => location.hash.slice(1)), link);
		await again.close();
	}
});

look('links that make no sense do no harm', ofShop, {}, async (view) => {
	for (const fragment of [
		'view=nothing&mode=x&range=9s..1s&zoom=a.b&func=99999999&sample=-4&hidden=7-9999999,x',
		'range=3s..8s,2s..2.1s&focus=123456&library=%E0%A4%A&path=1.2.3.4&drop=0&only=0',
		'search=%28%5B&case&plain=0&sort=nonsense&filter=/(/',
		'%%%&&&===&zoom=1.2.3.4.5.6.-7&lane=77&theme=neon',
		`view=table&filter=${encodeURIComponent(HURT)}&search=${encodeURIComponent(HURT)}&library=${encodeURIComponent(HURT)}`,
	]) {
		await view.go(fragment);
		await view.settle();
		assert.equal(await view.page.locator('.failure').count(), 0, fragment);
		assert.equal(await view.page.locator('img').count(), 0);
	}
});

/** What the page lies on. */
const ground = (view) =>
	view.page.evaluate(() => {
		const parts = [document.querySelector('.page'), document.body, document.documentElement];
		const colours = parts.map((part) => getComputedStyle(part).backgroundColor);
		return colours.find((colour) => !/, 0\)$/.test(colour)) ?? 'rgb(255, 255, 255)';
	});

test('light and dark', async () => {
	const backs = {};
	for (const scheme of ['light', 'dark']) {
		const view = await open(shop, { scheme });
		const back = () => ground(view);
		backs[scheme] = await back();
		const text = await view.page.evaluate(() => getComputedStyle(document.body).color);
		assert.ok(apart(backs[scheme], text) > 90000, 'contrast');
		await view.button('Light or dark').click();
		await view.item(scheme === 'light' ? 'Dark' : 'Light');
		assert.ok(apart(await back(), backs[scheme]) > 90000);
		const flame = await view.colourAt(...(await view.flamePoint(1, 0.3)));
		assert.notEqual(flame, '0,0,0');
		assert.equal((await view.fragment()).theme, scheme === 'light' ? 'dark' : 'light');
		await view.close();
	}
	assert.ok(apart(backs.light, backs.dark) > 90000);
});

for (const [width, height] of [
	[390, 844],
	[360, 640],
]) {
	test(`a phone of ${width} pixels`, async () => {
		const view = await open(shop, { width, height, hasTouch: true, isMobile: true });
		for (const name of VIEWS) {
			await view.page.getByRole('tab', { name, exact: true }).tap();
			await view.settle();
			const over = await view.page.evaluate(
				() => document.documentElement.scrollWidth - innerWidth,
			);
			assert.ok(over <= 0, `${name} is ${over} pixels too wide`);
			const box = await view.page.locator('[role=tabpanel]:not([hidden])').boundingBox();
			assert.ok(box.width <= width && box.height > 200, `${name}: ${JSON.stringify(box)}`);
		}
		// by finger: zoom a frame, a sample of the timeline, options, the menu by holding still
		await view.page.getByRole('tab', { name: 'Flame graph' }).tap();
		await view.settle();
		const holder = view.page.locator('#panel-flame .flame-holder');
		await holder.scrollIntoViewIfNeeded();
		const flame = await holder.boundingBox();
		const row = flame.height / Math.round(flame.height / 26);
		await view.page.touchscreen.tap(
			flame.x + flame.width * 0.3,
			flame.y + flame.height - row * 1.5,
		);
		await view.settle();
		assert.deepEqual(await view.crumbs(), ['all', 'run']);
		await view.page.getByRole('button', { name: 'Options' }).tap();
		await view.choose('by', 'modules');
		assert.equal((await view.fragment()).by, 'modules');
		await view.page.evaluate(() => scrollTo(0, 0));
		const canvas = await view.page.locator('.tl-canvas').boundingBox();
		await view.page.touchscreen.tap(canvas.x + canvas.width / 4, canvas.y + canvas.height * 0.5);
		await view.settle();
		assert.match((await view.fragment()).sample ?? '', /^\d+$/);
		await view.close();
	});
}

look('help by "?"', ofShop, {}, async (view) => {
	await view.press('?');
	const help = await view.text('dialog');
	for (const words of [
		'Keys and gestures',
		'Flame graph',
		'Everywhere',
		'Timeline',
		'Sandwich',
		'Heat map',
		'Call tree',
		'next and previous match',
	]) {
		assert.ok(help.includes(words), words);
	}
	await view.press('Escape');
	assert.equal(await view.page.locator('dialog').isVisible(), false);
	await view.click('Keys and gestures (?)');
	assert.ok(await view.page.locator('dialog').isVisible());
	await view.press('?');
	assert.equal(await view.page.locator('dialog').isVisible(), false);
});

look('all of it can be reached by Tab, and has a name', ofShop, {}, async (view) => {
	const nameless = [];
	const visited = new Set();
	for (let i = 0; i < 70; i++) {
		await view.page.keyboard.press('Tab');
		const { what, name, ring } = await view.page.evaluate(() => {
			const e = document.activeElement;
			const style = getComputedStyle(e);
			const own =
				e.getAttribute('aria-label') ||
				e.textContent.trim() ||
				e.title ||
				e.closest('label')?.textContent;
			return {
				what: `${e.tagName} ${e.className} ${own}`.slice(0, 80),
				name: own,
				ring: style.outlineStyle !== 'none' || style.boxShadow !== 'none' || e === document.body,
			};
		});
		if (!name) nameless.push(what);
		assert.ok(ring, `no ring around ${what}`);
		visited.add(what);
	}
	assert.deepEqual(nameless, []);
	const all = [...visited].join('\n');
	for (const words of [/Search functions/, /Wall/, /Timeline/, /Flame graph\. Arrow/, /Export/])
		assert.match(all, words);
	const unnamed = await view.page.evaluate(() =>
		[...document.querySelectorAll('button, input, select')]
			.filter(
				(e) =>
					!(e.getAttribute('aria-label') || e.textContent.trim() || e.title || e.closest('label')),
			)
			.map((e) => e.outerHTML.slice(0, 100)),
	);
	assert.deepEqual(unnamed, []);
});

// ---- out of the page --------------------------------------------------------------------------------

look('export: SVG, PNG, folded, of the present view', ofShop, {}, async (view) => {
	for (const name of ['Flame graph', 'Flame chart', 'Sandwich', 'Heat map']) {
		await view.tab(name);
		await view.click('Export');
		const svg = await view.download(() => view.item('Save as SVG'));
		assert.match(svg.name, /\.svg$/);
		const read = await readSvg(svg.bytes.toString('utf8'));
		assert.equal(read.error, '', name);
		assert.equal(read.alive, 0);
		assert.ok(read.width > 100);
		if (name !== 'Heat map') assert.match(read.texts, /main|parse|idle/, name);
		await view.click('Export');
		const png = await view.download(() => view.item('Save as PNG'));
		assert.match(png.name, /\.png$/);
		assert.equal(png.bytes.subarray(1, 4).toString(), 'PNG');
		assert.ok(png.bytes.length > 2000 && png.bytes.readUInt32BE(16) > 300, name);
	}
	await view.tab('Flame graph');
	await view.mode('CPU');
	await view.menuAt(1, 0.3); // main: 2000 of 3400
	await view.item('Drop stacks with it');
	await view.click('Export');
	const folded = await view.download(() => view.item('Save as folded text'));
	const ours = folded.bytes.toString('utf8').trim().split('\n').sort();
	const theirs = exported(capture, '-f', 'folded', '--cpu', '--functions', '--ignore', '^main ');
	assert.deepEqual(ours, theirs.trim().split('\n').sort(), 'as the command writes it');
	await view.click('Export');
	await view.item('Copy link');
	assert.match(await view.clipboard(), /^file:.*#.*mode=cpu.*drop=/);
	await view.tab('Table');
	await view.click('Export');
	assert.ok((await view.menu()).some((item) => /folded/.test(item)));
});

look('prints the picture and the facts, light', ofShop, { scheme: 'dark' }, async (view) => {
	for (const name of ['Flame graph', 'Table', 'Trust']) {
		await view.tab(name);
		// as the browser does before and after it prints
		await view.page.evaluate(() => dispatchEvent(new Event('beforeprint')));
		await view.page.emulateMedia({ media: 'print' });
		await view.settle();
		const back = await ground(view);
		assert.ok(apart(back, '255,255,255') < 3000, `${name}: ${back}`);
		const paper = await view.text('.paper');
		assert.match(paper, /12 400 samples/);
		assert.match(paper, /3\.12\.1/);
		if (name === 'Flame graph')
			assert.match(await view.page.locator('.paper svg').textContent(), /main/);
		if (name === 'Table') assert.ok(await view.row('parse').isVisible());
		assert.equal(await view.page.locator('#tools').isVisible(), false, 'no buttons on paper');
		const over = await view.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
		assert.ok(over <= 0, `${name} is ${over} pixels too wide`);
		await view.page.emulateMedia({ media: 'screen' });
		await view.page.evaluate(() => dispatchEvent(new Event('afterprint')));
		await view.settle();
		assert.equal(await view.page.locator('.paper').isVisible(), false);
	}
	const pdf = await view.page.pdf({ format: 'A4' });
	assert.equal(pdf.subarray(0, 4).toString(), '%PDF');
});

// ---- hostile names ----------------------------------------------------------------------------------

const LONG = `long_${'x'.repeat(9995)}`;

test('names that are out to hurt are text in every view', async () => {
	const lines = [
		`fact command ${HURT}`,
		`fact python 3.12 ${HURT}`.slice(0, 200),
		`process 1 ${HURT}`,
		`thread 0 1 ${HURT}`,
		`thread 0 2 "'><svg onload=fireglassHurt()>`,
		`sample 0 300 0 cpu 1 ${HURT}@/x/${HURT}.py:3;inner@/x/${HURT}.py:4`,
		`sample 300 300 0 cpu 1 ${HURT}@/x/${HURT}.py:3;javascript:fireglassHurt()@/x/y.py:1`,
		`sample 600 300 0 waiting 0 \u202eevil\u202c@/x/y.py:2;'"\`\${fireglassHurt()}@/x/y.py:3`,
		`sample 0 900 1 cpu 0 ${LONG}@/x/y.py:2;__proto__@/x/constructor.py:3;toString@/x/y.py:9`,
		`marker 0 300 0 ${HURT.replaceAll(' ', '/')} ${HURT}`,
	];
	const hostile = report(
		describe(lines),
		'--title',
		HURT,
		'--baseline',
		describe(lines.slice(0, 7)),
	);
	const view = await open(hostile);
	assert.ok((await view.page.title()).startsWith(HURT));
	assert.equal(await view.text('h1'), HURT);
	for (const name of VIEWS) {
		await view.tab(name);
		assert.equal(await view.page.locator('img, svg[onload], .failure').count(), 0, name);
		if (name === 'Flame graph') {
			assert.ok((await view.hoverBox(1, 0.7)).startsWith(HURT));
			await view.clickBox(1, 0.7);
			assert.deepEqual(await view.crumbs(), ['all', HURT]);
			await view.menuAt(1, 0.5);
			await view.press('Escape');
			await view.press('Escape');
		}
		if (['Call tree', 'Table', 'Sandwich'].includes(name)) {
			const text = await view.text('[role=tabpanel]:not([hidden])');
			assert.ok(text.includes('</script><img src=x'), `${name}: ${text.slice(0, 300)}`);
			assert.ok(!/[\u202a-\u202e\u2066-\u2069]/.test(text), 'no marks that turn the text around');
		}
		if (name === 'Source') {
			await view.page.locator('.source-side').getByText('</script>').first().click();
			await view.settle();
		}
		const over = await view.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
		assert.ok(over <= 0, `${name} is too wide`);
	}
	// the timeline: labels, tips, menus, markers
	assert.ok((await view.tracks()).includes(HURT));
	await view.point(HURT, 100, [0, 900]);
	await view.page.locator('.tl-label').nth(2).click();
	await view.press('Escape');
	await view.pick(HURT, 100, [0, 900]);
	assert.ok((await view.text('#details')).includes(HURT));
	await view.page
		.getByRole('button', { name: /threads/ })
		.first()
		.click();
	await view.press('Escape');
	await view.press('?');
	await view.press('Escape');
	// a transform, a search, an export with such names
	await view.tab('Flame graph');
	await view.menuAt(1, 0.7);
	await view.item('Drop stacks with it');
	assert.ok((await view.chips()).at(-1).includes('</script>'));
	await view.page.goBack();
	await view.page.getByRole('searchbox', { name: /Search functions/ }).fill('<img');
	await view.settle();
	await view.click('Export');
	const svg = await view.download(() => view.item('Save as SVG'));
	const read = await readSvg(svg.bytes.toString('utf8'));
	assert.equal(read.error, '');
	assert.equal(read.alive, 0);
	assert.doesNotMatch(svg.name, /[<>/\\:"|?*]/);
	await view.click('Export');
	const folded = await view.download(() => view.item('Save as folded text'));
	assert.match(folded.bytes.toString('utf8'), /<img src=x/);
	await view.page.evaluate(() => dispatchEvent(new Event('beforeprint')));
	await view.settle();
	assert.equal(await view.page.locator('img').count(), 0);
	await view.close();
});

test('control characters, new lines, names that are empty or keys of objects', async () => {
	for (const name of ['hostile', 'unicode', 'deep']) {
		const view = await open(report(golden(name)));
		for (const tab of VIEWS) {
			await view.tab(tab);
			const text = await view.page.locator('body').innerText();
			assert.ok(!/[\u202a-\u202e\u2028]/.test(text), `${name}, ${tab}`);
		}
		if (name === 'hostile') {
			await view.tab('Table');
			const names = await view.names();
			for (const each of [
				'__proto__',
				'<lambda>',
				'</script><script>alert(1)</script>',
				'new\\x0aline',
			]) {
				assert.ok(names.includes(each), `${each} among ${names.join(' | ')}`);
			}
			await view.press('/');
			await view.page.keyboard.type('__proto__');
			await view.press('Enter');
		}
		await view.close();
	}
});

test('a policy that allows nothing but the page itself', async () => {
	const view = await open(shop);
	const html = readFileSync(fileURLToPath(shop), 'utf8');
	const policy = /<meta http-equiv="Content-Security-Policy"\s+content="([^"]*)"/i.exec(html)[1];
	assert.match(policy, /default-src 'none'/);
	assert.match(policy, /script-src 'sha256-[^']+'(;|$)/);
	assert.doesNotMatch(policy, /unsafe|https?:|\*/);
	assert.doesNotMatch(html.slice(0, html.indexOf('<script')), /https?:\/\/(?!www\.w3\.org)/);
	// it holds: what is put in is not run, what is asked for is not sent
	const blocked = await view.page.evaluate(async () => {
		try {
			const script = document.createElement('script');
			script.textContent = 'globalThis.ran = true';
			document.body.append(script);
			document.body.innerHTML += '<img src=x onerror="globalThis.ran = true">';
		} catch {
			// refused at once
		}
		const eager = await fetch('data:text/plain,x').then(
			() => 'fetched',
			() => 'blocked',
		);
		return [globalThis.ran === true, eager];
	});
	assert.deepEqual(blocked, [false, 'blocked']);
	// both are told as errors on the console, which would fail the test
	await view
		.close()
		.catch((error) => assert.match(error.message, /Content Security Policy|Trusted/));
});

// ---- other captures ---------------------------------------------------------------------------------

test('counts without times: no timeline, no chart, samples as the unit', async () => {
	const folded = writeTo(
		'counts.folded',
		'main;a;b 30\nmain;a 10\nmain;c;<img src=x onerror=fireglassHurt()> 60\n',
	);
	const view = await open(report(folded));
	const tabs = await view.page.getByRole('tab').allInnerTexts();
	assert.ok(!tabs.includes('Flame chart') && !tabs.includes('Heat map'));
	assert.equal(await view.page.locator('#timeline').isVisible(), false);
	assert.match(await view.hoverBox(1, 0.5), /^main total 100 samples, 100 %/);
	assert.match(await view.amount(), /^100 samples$/);
	await view.tab('Table');
	assert.ok((await view.names()).includes('<img src=x onerror=fireglassHurt()>'));
	await view.close();
});

test('a capture without samples says so', async () => {
	const view = await open(report(golden('empty')));
	assert.match(await view.text('#main'), /no samples/i);
	assert.equal(await view.page.getByRole('tab').count(), 0);
	await view.close();
});

test('without scripts it says what to do', async () => {
	const html = readFileSync(fileURLToPath(shop), 'utf8');
	assert.match(html, /<noscript>.*fireglass export FILE -f text.*<\/noscript>/s);
});
