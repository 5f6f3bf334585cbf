// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heatStep } from '../src/views/heatmap_draw.js';
import {
	binAt,
	binNs,
	binsOf,
	binsOfRange,
	cellOf,
	choosePeriod,
	chooseRows,
	makeGrid,
	rangeOfBins,
	stripes,
	topCount,
} from '../src/views/heatmap_grid.js';

const SECOND = 1e9;
const MS = 1e6;

test('columns are seconds where that makes a picture, and cells no shorter than two ticks', () => {
	assert.equal(choosePeriod(30 * SECOND, MS), SECOND);
	assert.equal(choosePeriod(3 * SECOND, MS), 100 * MS);
	assert.equal(choosePeriod(3 * SECOND, 10 * MS), SECOND);
	assert.equal(choosePeriod(8 * 3600 * SECOND, 10 * MS), 60 * SECOND);
	assert.equal(chooseRows(SECOND, MS), 50);
	assert.equal(chooseRows(SECOND, 20 * MS), 20);
});

test('points of the picture and cells are the same bins', () => {
	const grid = makeGrid(7.3 * SECOND, SECOND, 20, 400, 200);
	assert.equal(grid.columns, 8);
	assert.equal(binNs(grid), 50 * MS);
	assert.equal(binsOf(grid), 146);
	for (let bin = 0; bin < binsOf(grid); bin++) {
		const { x, y } = cellOf(grid, bin);
		assert.equal(binAt(grid, x, y), bin);
		assert.equal(binAt(grid, x + grid.cellWidth - 1, y + grid.cellHeight - 1), bin);
	}
	// time begins at the bottom left; outside of the picture the nearest cell counts
	assert.equal(binAt(grid, -5, 1e6), 0);
	assert.equal(binAt(grid, 1e6, 1e6), 140);
	assert.equal(binAt(grid, 1e6, -5), 145);
});

test('a drag selects from the earlier to the end of the later cell', () => {
	const grid = makeGrid(7.32 * SECOND, SECOND, 20, 400, 200);
	assert.deepEqual(rangeOfBins(grid, 45, 41), { from: 2050 * MS, to: 2300 * MS });
	assert.deepEqual(rangeOfBins(grid, 3, 3), { from: 150 * MS, to: 200 * MS });
	assert.equal(rangeOfBins(grid, 0, binsOf(grid) - 1).to, 7.32 * SECOND);
	assert.deepEqual(binsOfRange(grid, { from: 2050 * MS, to: 2300 * MS }), [41, 46]);
	assert.deepEqual(binsOfRange(grid, { from: 1, to: 2 }), [0, 1]);
});

test('a range over several columns is a stripe in each', () => {
	const grid = makeGrid(10 * SECOND, SECOND, 20, 400, 200);
	assert.deepEqual(stripes(grid, 15, 45), [
		{ column: 0, low: 15, high: 20 },
		{ column: 1, low: 0, high: 20 },
		{ column: 2, low: 0, high: 5 },
	]);
	assert.deepEqual(stripes(grid, 198, 300), [{ column: 9, low: 18, high: 20 }]);
});

test('a few cells far above the others do not make the others pale', () => {
	const counts = new Float64Array(1000).fill(10);
	counts[3] = 5000;
	counts.fill(0, 500);
	assert.equal(topCount(counts), 10);
	assert.equal(topCount(new Float64Array(9)), 1);
	assert.equal(heatStep(0, 10), 0);
	assert.equal(heatStep(0.1, 10), 1);
	assert.equal(heatStep(5000, 10), heatStep(10, 10));
});
