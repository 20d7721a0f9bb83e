# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Ed25519, verification only (RFC 8032), in MicroPython's big integers.

Stricter than RFC 8032 where implementations differ, so that two boards never disagree: the equation
without the cofactor, one encoding for each point, S below the order of the base point (5.1.7), and
neither the public key nor R of small order, under which one signature would fit many messages.

Nothing here is secret, so nothing takes care to take the same time for every input.
"""

from revier_node import sha512

PUBLIC_SIZE = 32
SIGNATURE_SIZE = 64

# RFC 8032 5.1: the prime, the curve's d, the order of the base point, the base point
_P = 2**255 - 19
_D = 37095705934669439343138083508754565189542113879843219016388785533085940283555
_L = 2**252 + 27742317777372353535851937790883648493
_SQRT_M1 = 19681161376707505956807079304988542015446066515923890162744021073123829784752
_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960
_WINDOW = 5  # bits of a digit; odd digits up to 15, so 8 multiples of each point
_MASK255 = 2**255 - 1

# A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z. Coordinates may be negative or above p
# between two products; each product is reduced.


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """True if `signature` (64 bytes) is that of `message` under `public` (32 bytes)."""
    if len(public) != PUBLIC_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    s = int.from_bytes(signature[32:], "little")
    a = _decoded(public)
    if s >= _L or a is None or _is_small(a):
        return False
    k = int.from_bytes(sha512.digest(signature[:32] + public + message), "little") % _L
    minus_a = (_P - a[0], a[1], 1, _P - a[3])
    base = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)
    r = _sum_of_products(s, base, k, minus_a)
    return _encoded(r) == signature[:32] and not _is_small(r)


def _decoded(data: bytes) -> "tuple | None":
    """5.1.3; None if it is no point, or another encoding of one."""
    y = int.from_bytes(data, "little")
    sign = y >> 255
    y &= _MASK255
    if y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    v3 = v * v * v % _P
    x = u * v3 % _P * pow(u * v3 * v3 * v % _P, (_P - 5) // 8, _P) % _P
    vxx = v * x * x % _P
    if vxx != u:
        if vxx != (_P - u) % _P:
            return None
        x = x * _SQRT_M1 % _P
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _encoded(point: tuple) -> bytes:
    x, y, z = point[:3]
    inverse = pow(z % _P, _P - 2, _P)
    number = y * inverse % _P | (x * inverse % _P & 1) << 255
    data: bytes = number.to_bytes(32, "little")
    return data


def _is_small(point: tuple) -> bool:
    """Of an order that divides the cofactor 8."""
    for _ in range(3):
        point = _doubled(point)
    return not point[0] % _P and not (point[1] - point[2]) % _P


def _doubled(point: tuple) -> tuple:
    """dbl-2008-hwcd for a = -1 (hyperelliptic.org/EFD): 5.1.4's, with all signs turned."""
    x, y, z, _ = point
    a, b = x * x % _P, y * y % _P
    h = a + b
    s = x + y
    e = h - s * s
    g = a - b
    f = 2 * z * z + g
    e, f = e % _P, f % _P
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _prepared(point: tuple) -> tuple:
    """What an addition takes: Y - X, Y + X, 2 d T, 2 Z."""
    x, y, z, t = point
    return y - x, y + x, t * 2 * _D % _P, 2 * z


def _added(point: tuple, other: tuple, minus: bool) -> tuple:
    """add-2008-hwcd-3 (5.1.4); `other` is prepared, and turned round if `minus`."""
    x, y, z, t = point
    less, more, t2d, z2 = other
    if minus:
        less, more, t2d = more, less, -t2d
    a, b = (y - x) * less % _P, (y + x) * more % _P
    c, d = t * t2d % _P, z * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _odd_multiples(point: tuple) -> "list[tuple]":
    """1, 3, 5 ... 15 times the point, prepared."""
    double = _prepared(_doubled(point))
    found = [_prepared(point)]
    for _ in range((1 << (_WINDOW - 2)) - 1):
        point = _added(point, double, False)
        found.append(_prepared(point))
    return found


def _digits(number: int) -> "list[int]":
    """Non-adjacent form of width _WINDOW, lowest first: digits 0 or odd, -15 to 15."""
    digits = []
    while number:
        digit = 0
        if number & 1:
            digit = number & 31
            digit -= 32 if digit > 15 else 0
            number -= digit
        digits.append(digit)
        number >>= 1
    return digits


def _sum_of_products(m: int, point: tuple, n: int, other: tuple) -> tuple:
    """m * point + n * other, the doublings shared (Straus)."""
    sides = [(_digits(m), _odd_multiples(point)), (_digits(n), _odd_multiples(other))]
    total: tuple = (0, 1, 1, 0)
    for i in range(max(len(digits) for digits, _ in sides) - 1, -1, -1):
        total = _doubled(total)
        for digits, multiples in sides:
            digit = digits[i] if i < len(digits) else 0
            if digit:
                total = _added(total, multiples[abs(digit) >> 1], digit < 0)
    return total
