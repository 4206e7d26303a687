"""Compiled loops over `Rows`: value of a set, greedy, fast interchange, the Lagrangian dual."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def falling(start: np.ndarray, site: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Order of the pairs that sorts each row by falling value, ties by rising site."""
    order = np.empty(value.size, dtype=np.int64)
    for i in range(start.size - 1):
        a, b = start[i], start[i + 1]
        by_site = np.argsort(site[a:b], kind="mergesort")
        by_value = np.argsort(-value[a:b][by_site], kind="mergesort")
        order[a:b] = a + by_site[by_value]
    return order


@njit(cache=True, nogil=True)
def best_two(
    start: np.ndarray, site: np.ndarray, value: np.ndarray, chosen: np.ndarray, i: int,
    first: np.ndarray, first_value: np.ndarray, second_value: np.ndarray,
) -> None:  # fmt: skip
    """Best and second best value of row i among chosen sites; the site of the best (-1 where none is linked)."""
    first[i], first_value[i], second_value[i] = -1, 0.0, 0.0
    for p in range(start[i], start[i + 1]):
        if chosen[site[p]]:
            if first[i] < 0:
                first[i], first_value[i] = site[p], value[p]
            else:
                second_value[i] = value[p]
                return


@njit(cache=True, nogil=True)
def set_value(start: np.ndarray, site: np.ndarray, value: np.ndarray, chosen: np.ndarray) -> float:
    """Value of the set `chosen` (n_sites,) bool."""
    total = 0.0
    for i in range(start.size - 1):
        for p in range(start[i], start[i + 1]):
            if chosen[site[p]]:
                total += value[p]
                break
    return total


@njit(cache=True, nogil=True)
def greedy(
    start: np.ndarray, site: np.ndarray, value: np.ndarray, column_start: np.ndarray, row: np.ndarray,
    column_value: np.ndarray, allowed: np.ndarray, chosen: np.ndarray, wanted: int, noise: np.ndarray,
) -> None:  # fmt: skip
    """Add to `chosen` the site of largest gain (times `noise`) until `wanted` are; gains are kept up to date."""
    n = start.size - 1
    best = np.zeros(n)
    gain = np.zeros(allowed.size)
    count = 0
    for j in range(allowed.size):
        if chosen[j]:
            count += 1
            for q in range(column_start[j], column_start[j + 1]):
                best[row[q]] = max(best[row[q]], column_value[q])
    for i in range(n):
        for p in range(start[i], start[i + 1]):
            if value[p] <= best[i]:
                break
            gain[site[p]] += value[p] - best[i]
    while count < wanted:
        pick = -1
        for j in range(allowed.size):
            if allowed[j] and not chosen[j] and (pick < 0 or gain[j] * noise[j] > gain[pick] * noise[pick]):
                pick = j
        if pick < 0:
            return
        chosen[pick] = True
        count += 1
        for q in range(column_start[pick], column_start[pick + 1]):
            i, new = row[q], column_value[q]
            if new > best[i]:
                for p in range(start[i], start[i + 1]):
                    if value[p] <= best[i]:
                        break
                    gain[site[p]] -= min(value[p], new) - best[i]
                best[i] = new


@njit(cache=True, nogil=True)
def interchange(
    start: np.ndarray, site: np.ndarray, value: np.ndarray, column_start: np.ndarray, row: np.ndarray,
    column_value: np.ndarray, allowed: np.ndarray, fixed: np.ndarray, chosen: np.ndarray, order: np.ndarray,
    most_columns: int,
) -> float:  # fmt: skip
    """Exchange one chosen site for one outside while the value rises; `chosen` is changed, its value returned.

    The fast interchange of Whitaker (1983) in the form of Resende and Werneck (2007): one pass over a column gives the
    best site to give up for it. Columns are tried in `order`; it stops after a whole round without a gain, or when
    `most_columns` were tried.
    """
    n, m = start.size - 1, allowed.size
    first = np.empty(n, dtype=np.int32)
    one, two = np.empty(n), np.empty(n)
    loss = np.zeros(m)
    total = 0.0
    for i in range(n):
        best_two(start, site, value, chosen, i, first, one, two)
        total += one[i]
        if first[i] >= 0:
            loss[first[i]] += one[i] - two[i]
    spared = np.zeros(m)
    movable = np.flatnonzero(chosen & ~fixed)  # in the order of the sites: equals are told apart by it
    tolerance = 1e-12 * max(total, 1e-300)
    quiet = tried = at = 0
    while quiet < order.size and tried < most_columns:
        j = order[at]
        at = (at + 1) % order.size
        quiet += 1
        tried += 1
        if chosen[j] or not allowed[j]:
            continue
        gain = 0.0
        for q in range(column_start[j], column_start[j + 1]):
            i, v = row[q], column_value[q]
            if v > one[i]:
                gain += v - one[i]
                if first[i] >= 0:
                    spared[first[i]] += one[i] - two[i]
            elif v > two[i] and first[i] >= 0:
                spared[first[i]] += v - two[i]
        out, least = -1, 0.0
        for held in movable:
            if out < 0 or loss[held] - spared[held] < least:
                out, least = int(held), loss[held] - spared[held]
        for q in range(column_start[j], column_start[j + 1]):
            if first[row[q]] >= 0:
                spared[first[row[q]]] = 0.0
        if out < 0 or gain - least <= tolerance:
            continue
        chosen[out], chosen[j] = False, True
        movable[np.searchsorted(movable, out)] = j
        movable.sort()
        for side in range(2):
            k = out if side == 0 else j
            for q in range(column_start[k], column_start[k + 1]):
                i = row[q]
                if first[i] >= 0:
                    loss[first[i]] -= one[i] - two[i]
                total -= one[i]
                best_two(start, site, value, chosen, i, first, one, two)
                total += one[i]
                if first[i] >= 0:
                    loss[first[i]] += one[i] - two[i]
        quiet = 0
    return set_value(start, site, value, chosen)


@njit(cache=True, nogil=True)
def reduced_values(
    start: np.ndarray, site: np.ndarray, value: np.ndarray, price: np.ndarray, rho: np.ndarray
) -> float:  # fmt: skip
    """Fill rho_k = sum over rows of max(0, v_ik - price_i); return the sum of the prices."""
    rho[:] = 0.0
    total = 0.0
    for i in range(start.size - 1):
        total += price[i]
        for p in range(start[i], start[i + 1]):
            if value[p] <= price[i]:
                break
            rho[site[p]] += value[p] - price[i]
    return total


@njit(cache=True, nogil=True)
def dual(
    start: np.ndarray, site: np.ndarray, value: np.ndarray, state: np.ndarray, p: int, known: float,
    price: np.ndarray, best_price: np.ndarray, frequency: np.ndarray, rounds: int, theta: float, patience: int,
) -> tuple[float, float]:  # fmt: skip
    """Lower the Lagrangian bound of the best p sites by subgradient; return the best bound and the last step size.

    The row constraints (one site serves a row) are priced: L(price) = sum price_i + the p largest rho_k, an upper
    bound of the value of any p sites for any price >= 0. state: 1 chosen, 0 free, -1 left out. `price` is where it
    starts and ends, `best_price` holds the best; `frequency` follows how often each site is among the p. Each price moves in
    proportion to the best value of its row: a small row is never thrown about by the steps that a large one needs.
    """
    n, m = start.size - 1, state.size
    rho = np.empty(m)
    inside = np.zeros(m, dtype=np.bool_)
    direction, weight = np.zeros(n), np.zeros(n)
    for i in range(n):
        if start[i + 1] > start[i]:
            weight[i] = value[start[i]]
    best = np.inf
    idle = 0
    fixed = 0
    for k in range(m):
        if state[k] == 1:
            fixed += 1
    free = p - fixed
    keys = np.empty(m)
    for _ in range(rounds):
        bound = reduced_values(start, site, value, price, rho)
        inside[:] = False
        for k in range(m):
            keys[k] = -rho[k] if state[k] == 0 else np.inf
            if state[k] == 1:
                inside[k] = True
                bound += rho[k]
        if free > 0:
            ranked = np.argsort(keys)
            for r in range(min(free, m)):
                k = ranked[r]
                if state[k] != 0:
                    break
                inside[k] = True
                bound += rho[k]
        if bound < best * (1.0 - 1e-7) - 1e-12 or best == np.inf:
            idle = 0
        else:
            idle += 1
        if bound < best:
            best = bound
            best_price[:] = price
        if best <= known * (1.0 + 1e-12):
            break
        if idle >= patience:
            idle = 0
            theta *= 0.5
            price[:] = best_price
            direction[:] = 0.0
            if theta < 1e-4:
                break
            continue
        for k in range(m):
            frequency[k] = 0.95 * frequency[k] + (0.05 if inside[k] else 0.0)
        norm = 0.0
        for i in range(n):
            g = 1.0
            for q in range(start[i], start[i + 1]):
                if value[q] <= price[i]:
                    break
                if inside[site[q]]:
                    g -= 1.0
            direction[i] = g + 0.5 * direction[i]
            if price[i] <= 0.0 and direction[i] > 0.0:
                direction[i] = 0.0
            norm += weight[i] * direction[i] * direction[i]
        if norm == 0.0:
            break
        step = theta * (bound - known + 1e-9 * abs(known)) / norm
        for i in range(n):
            price[i] = max(0.0, price[i] - step * weight[i] * direction[i])
    return best, theta
