// SPDX-License-Identifier: MIT
/** Where the cells of the heat map are, in time and on the picture. Pure; nanoseconds, CSS pixels. */
import type { Range } from '../app/state.js';

export const PERIODS_NS: readonly number[] = [1e8, 1e9, 1e10, 6e10];
export const ROWS: readonly number[] = [20, 50];

/** A column is a period, a row a part of it; bin i is column i / rows (rounded down), row i % rows. */
export interface Grid {
	readonly periodNs: number;
	readonly rows: number;
	readonly columns: number;
	readonly durationNs: number;
	readonly cellWidth: number;
	readonly cellHeight: number;
}

const LEAST_CELL = 4; // wide; more columns than fit are scrolled
const MOST_CELL = 56;

/** A second if that makes a picture; cells are never shorter than two ticks: they would show those. */
export function choosePeriod(durationNs: number, tickNs: number): number {
	const long = PERIODS_NS.filter((period) => period / ROWS[0] >= 2 * tickNs);
	const fits = long.filter((period) => durationNs / period <= 400);
	return fits.find((period) => durationNs / period <= 60) ?? fits[0] ?? PERIODS_NS[3];
}

export function chooseRows(periodNs: number, tickNs: number): number {
	return periodNs / ROWS[1] >= 2 * tickNs ? ROWS[1] : ROWS[0];
}

export function makeGrid(
	durationNs: number,
	periodNs: number,
	rows: number,
	width: number,
	height: number,
): Grid {
	const columns = Math.max(1, Math.ceil(durationNs / periodNs));
	return {
		periodNs,
		rows,
		columns,
		durationNs,
		cellWidth: Math.max(LEAST_CELL, Math.min(MOST_CELL, Math.floor(width / columns))),
		cellHeight: Math.max(3, Math.min(22, Math.floor(height / rows))),
	};
}

export function binNs(grid: Grid): number {
	return grid.periodNs / grid.rows;
}

export function binsOf(grid: Grid): number {
	return Math.min(grid.columns * grid.rows, Math.ceil(grid.durationNs / binNs(grid)));
}

/** The bin at a point of the picture (its whole width); outside of it the nearest. */
export function binAt(grid: Grid, x: number, y: number): number {
	const column = Math.max(0, Math.min(grid.columns - 1, Math.floor(x / grid.cellWidth)));
	const fromTop = Math.max(0, Math.min(grid.rows - 1, Math.floor(y / grid.cellHeight)));
	const bin = column * grid.rows + (grid.rows - 1 - fromTop);
	return Math.min(binsOf(grid) - 1, bin);
}

/** Upper left corner of a bin's cell: the beginning of a period is at the bottom. */
export function cellOf(grid: Grid, bin: number): { x: number; y: number } {
	const column = Math.floor(bin / grid.rows);
	const row = bin % grid.rows;
	return { x: column * grid.cellWidth, y: (grid.rows - 1 - row) * grid.cellHeight };
}

/** Time from the first to the last of two bins, both included. */
export function rangeOfBins(grid: Grid, a: number, b: number): Range {
	const bin = binNs(grid);
	return {
		from: Math.min(a, b) * bin,
		to: Math.min(grid.durationNs, (Math.max(a, b) + 1) * bin),
	};
}

/** Bins [first, end) that a range touches by at least half of one. */
export function binsOfRange(grid: Grid, range: Range): [number, number] {
	const bin = binNs(grid);
	const first = Math.round(range.from / bin);
	return [first, Math.max(first + 1, Math.round(range.to / bin))];
}

/** The column parts that bins [first, end) cover: rows [low, high) of a column. */
export function stripes(
	grid: Grid,
	first: number,
	end: number,
): { column: number; low: number; high: number }[] {
	const found: { column: number; low: number; high: number }[] = [];
	const to = Math.min(end, grid.columns * grid.rows);
	for (let bin = Math.max(0, first); bin < to; ) {
		const column = Math.floor(bin / grid.rows);
		const stop = Math.min(to, (column + 1) * grid.rows);
		found.push({ column, low: bin - column * grid.rows, high: stop - column * grid.rows });
		bin = stop;
	}
	return found;
}

/** The count that has the last colour: one in a hundred of the cells that are not empty is above. */
export function topCount(counts: Float64Array): number {
	const some = counts.filter((count) => count > 0).sort();
	return some.length === 0 ? 1 : some[Math.min(some.length - 1, Math.floor(some.length * 0.99))];
}

/** How the period is called: "100 ms", "1 s". */
export function periodName(ns: number): string {
	if (ns < 1e9) return `${ns / 1e6} ms`;
	return ns < 6e10 ? `${ns / 1e9} s` : `${ns / 6e10} min`;
}
