// SPDX-License-Identifier: MIT
// Spans in a report: below the tracks of their threads, in a table, and what they cut and compare.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { describe, look, report, start, stop } from './report_harness.mjs';

const ALL = [0, 400];
let web;

/**
 * Two requests by turns on one thread (0-100 and 50-200 ms), of which the second has a query (100-150);
 * ten short ones (200-300), one that has not ended (300-400); and on another thread one of 400 ms.
 */
function webCapture() {
	const short = Array.from({ length: 10 }, (_, i) => 200 + 10 * i);
	return describe([
		'process 100 web',
		'thread 0 100 loop',
		'thread 0 101 pool',
		'span 0 100 0 0 request GET /cart',
		'span 50 200 0 0 request GET /page?a=(1)',
		'span 100 150 0 2 query select',
		...short.map((ms) => `span ${ms} ${ms + 10} 0 0 request GET /ping`),
		'span 300 0 0 0 request GET /slow',
		'span 0 400 1 0 job -',
		'in 1',
		'sample 0 50 0 cpu 1 loop@a.py:1;cart@a.py:5',
		...[0, 1, 2, 3, 4].flatMap((i) => [
			'in 2',
			`sample ${50 + i * 10} 5 0 cpu 1 loop@a.py:1;page@a.py:6`,
			'in 1',
			`sample ${55 + i * 10} 5 0 cpu 1 loop@a.py:1;cart@a.py:7`,
		]),
		'in 3',
		'sample 100 50 0 waiting 0 loop@a.py:1;page@a.py:8;query@b.py:1',
		'in 2',
		'sample 150 50 0 cpu 1 loop@a.py:1;page@a.py:9',
		...short.flatMap((ms, i) => [`in ${4 + i}`, `sample ${ms} 10 0 cpu 1 loop@a.py:1;ping@a.py:3`]),
		'in 14',
		'sample 300 100 0 cpu 1 loop@a.py:1;slow@a.py:4',
		'in 15',
		'sample 0 400 1 waiting 0 pool@c.py:1',
	]);
}

before(async () => {
	await start();
	web = report(webCapture());
});
after(stop);
const ofWeb = () => web;

const cells = (view) =>
	view.page
		.locator('.spans-view tbody tr:not(.rows-gap)')
		.evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));

look('a lane of spans is below the track of each thread', ofWeb, {}, async (view) => {
	assert.deepEqual(await view.tracks(), ['web (100)', 'loop', 'spans', 'pool', 'spans']);
});

look('a click on a span cuts all views to its samples', ofWeb, {}, async (view) => {
	const row = view.page.locator('.tl-label-lane').first();
	const box = await row.boundingBox();
	// the second level: what overlaps lies below
	await view.page.mouse.click(await view.xOf(175, ALL), box.y + 22);
	assert.equal((await view.fragment()).spans, '#1');
	assert.deepEqual((await view.chips()).slice(-1), ['request GET /page?a=(1)']);
	assert.match(await view.text('.chips-amount'), /^125 ms in all threads$/);
	await view.press('Escape');
	await view.page.getByRole('button', { name: 'Remove: request GET /page' }).click();
	assert.match(await view.text('.chips-amount'), /^800 ms in all threads$/);
});

look('the table of spans: numbers, order, kinds', ofWeb, {}, async (view) => {
	await view.tab('Spans');
	const rows = await cells(view);
	assert.deepEqual(
		rows.map((row) => row.at(-1)),
		['job', 'request GET /page?a=(1)', 'request GET /cart', 'request GET /ping', 'request GET /slow', 'query select'],
	);
	const of = (name) => rows.find((row) => row.at(-1) === name);
	assert.deepEqual(of('request GET /ping'), [
		'10', '100 ms', '100 ms', '10.0 ms', '10.0 ms', '10.0 ms', 'request GET /ping',
	]);
	assert.equal(of('request GET /page?a=(1)')[2], '75.0 ms', 'without what lies within');
	assert.equal(of('job')[2], '0 s');
	await view.page.getByRole('button', { name: 'Count' }).click();
	assert.equal((await cells(view))[0].at(-1), 'request GET /ping');
	await view.page.getByRole('button', { name: 'By kind' }).click();
	assert.deepEqual(
		(await cells(view)).map((row) => [row[0], row.at(-1)]),
		[
			['13', 'request'],
			['1', 'query'],
			['1', 'job'],
		],
	);
	await view.page.locator('.spans-view .panel-filter').fill('/^q/');
	assert.equal((await cells(view)).length, 1);
});

look('a row of it cuts to its spans, and compares', ofWeb, {}, async (view) => {
	await view.tab('Spans');
	const row = view.page.locator('.spans-view td.name', { hasText: 'GET /page' });
	await row.click();
	assert.equal((await view.fragment()).spans, '^request GET /page\\?a=\\(1\\)$');
	assert.match(await view.text('.chips-amount'), /^125 ms in all threads$/);
	await view.page.getByRole('button', { name: 'By kind' }).click();
	await view.page.locator('.spans-view td.name', { hasText: 'request' }).click({ button: 'right' });
	await view.item('The slowest 5 % against the others');
	const { spans, against } = await view.fragment();
	assert.equal(spans, '^request( |$)~150000000~');
	assert.equal(against, '^request( |$)~~150000000');
	assert.deepEqual((await view.chips()).slice(-2), [
		'request, 150 ms or more',
		'against request, below 150 ms',
	]);
	await view.tab('Flame graph');
	assert.match(await view.text('.chips-amount'), /^125 ms in all threads$/);
});

look('a link has all of it', ofWeb, { fragment: 'spans=GET%20/ping' }, async (view) => {
	assert.match(await view.text('.chips-amount'), /^100 ms in all threads$/);
	await view.tab('Table');
	assert.deepEqual(await view.names(), ['ping', 'loop']);
});
