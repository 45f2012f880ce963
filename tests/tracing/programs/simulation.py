"""Simulations and numerical methods."""

import numpy as np
from program import normal, positive, program


@program(positive(low=0.2, high=0.9))
def wave_equation(c):
    n = 10
    x = np.linspace(0, 1, n)
    u_prev = np.exp(-100 * (x - 0.5) ** 2)
    u = u_prev.copy()
    history = [u]
    for _ in range(6):
        u_next = np.zeros(n)
        for i in range(1, n - 1):
            u_next[i] = 2 * u[i] - u_prev[i] + c**2 * (u[i + 1] - 2 * u[i] + u[i - 1])
        u_prev, u = u, u_next
        history.append(u)
    return np.sum(np.array(history) ** 2)


@program(normal(3, 6), positive())
def wave_history_array(initial, c):
    u = np.zeros((8, 6))
    u[:3] = initial
    for t in range(2, 7):
        u[t + 1, 1:-1] = 2 * u[t, 1:-1] - u[t - 1, 1:-1] + 0.1 * c * np.diff(u[t], 2)
    return np.abs(u[-1]).max()


def rk4(f, y, t, h):
    k1 = f(t, y)
    k2 = f(t + h / 2, y + h * k1 / 2)
    k3 = f(t + h / 2, y + h * k2 / 2)
    k4 = f(t + h, y + h * k3)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


@program(positive(4), positive(2))
def lotka_volterra_rk4(params, y0):
    a, b, c, d = params

    def deriv(t, y):
        prey, predator = y
        return np.array([a * prey - b * prey * predator, c * prey * predator - d * predator])

    y, t = y0, 0.0
    while t < 0.5:
        y = rk4(deriv, y, t, 0.1)
        t += 0.1
    return np.sum((y - 1) ** 2)


@program(normal(), normal())
def pendulum_euler(theta, omega):
    dt, g, L = 0.05, 9.81, 1.0
    thetas = np.empty(10)
    for n in range(10):
        omega = omega - dt * g / L * np.sin(theta)
        theta = theta + dt * omega
        thetas[n] = theta
    return np.mean(thetas**2)


@program(normal(2), normal(2, scale=0.3))
def kepler_leapfrog(r, v):
    r = np.array([1.0, 0.0]) + 0.1 * r
    v = np.array([0.0, 1.0]) + v
    dt = 0.1
    a = -r / np.linalg.norm(r) ** 3
    for _ in range(6):
        v += 0.5 * dt * a
        r += dt * v
        a = -r / np.linalg.norm(r) ** 3
        v += 0.5 * dt * a
    return 0.5 * v @ v - 1 / np.sqrt(r @ r)


@program(positive(low=0.1, high=0.8), positive(low=0.5, high=3.0))
def kepler_equation_newton(e, M):
    E = M
    while abs(E - e * np.sin(E) - M) > 1e-13:
        E = E - (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
    return np.array([np.cos(E) - e, np.sqrt(1 - e**2) * np.sin(E)]) @ np.array([1.0, 2.0])


@program(normal(6, 3), positive())
def lennard_jones(x, sigma):
    x = x * 3
    d = x[:, None, :] - x[None, :, :]
    r2 = (d**2).sum(-1)
    np.fill_diagonal(r2, np.inf)
    s6 = (sigma**2 / (r2 + 1.0)) ** 3
    return 2 * np.sum(s6**2 - s6)


@program(positive(low=0.1, high=1.2), is_smooth=False)
def cordic_rotation(angle):
    x, y, z = 0.6072529350088813, 0.0, angle
    for i in range(12):
        d = 1 if z >= 0 else -1
        x, y, z = x - d * y * 2.0**-i, y + d * x * 2.0**-i, z - d * np.arctan(2.0**-i)
    return x + y * z


@program(normal(5))
def natural_cubic_spline(y):
    h = 1.0
    n = len(y) - 1
    A = np.zeros((n + 1, n + 1))
    rhs = np.zeros(n + 1)
    A[0, 0] = A[n, n] = 1
    for i in range(1, n):
        A[i, i - 1 : i + 2] = [h, 4 * h, h]
        rhs[i] = 6 * (y[i + 1] - 2 * y[i] + y[i - 1]) / h
    M = np.linalg.solve(A, rhs)
    return M @ M


@program(normal(5), positive(3, low=0.1, high=3.9), instead="int(np.trunc(x[k]))")
def piecewise_linear(y, x):
    out = np.zeros(len(x))
    for k in range(len(x)):
        i = int(x[k])
        w = x[k] - i
        out[k] = (1 - w) * y[i] + w * y[i + 1]
    return np.sum(out**2)


@program(positive(low=0.5, high=2.0))
def adaptive_simpson(a):
    def f(t):
        return np.sin(a * t) * np.exp(t)

    def simpson(lo, hi):
        return (hi - lo) / 6 * (f(lo) + 4 * f((lo + hi) / 2) + f(hi))

    def integrate(lo, hi, tol):
        mid = (lo + hi) / 2
        left, right, whole = simpson(lo, mid), simpson(mid, hi), simpson(lo, hi)
        if abs(left + right - whole) < 15 * tol:
            return left + right
        return integrate(lo, mid, tol / 2) + integrate(mid, hi, tol / 2)

    return integrate(0.0, 1.0, 1e-5)


@program(positive(3))
def sir_epidemic(params):
    beta, gamma, i0 = params
    S, I, R = [1 - 0.01 * i0], [0.01 * i0], [0.0]
    dt = 0.2
    for _ in range(8):
        new = beta * S[-1] * I[-1] * dt
        rec = gamma * I[-1] * dt
        S.append(S[-1] - new)
        I.append(I[-1] + new - rec)
        R.append(R[-1] + rec)
    return np.max(I) + R[-1]


@program(normal(3))
def projectile_with_bounce(v0):
    x, y = 0.0, 1.0
    vx, vy, e = v0[0], v0[1], 1 / (1 + np.exp(-v0[2]))
    for _ in range(12):
        vy -= 9.81 * 0.05
        x, y = x + 0.05 * vx, y + 0.05 * vy
        if y < 0:
            y = -y
            vy = -e * vy
    return x**2 + y


@program(positive(4))
def black_scholes_tree(p):
    S, sigma, r, K = p[0] + 1, 0.3 * p[1], 0.05 * p[2], p[3] + 1
    n = 4
    dt = 1 / n
    u = np.exp(sigma * np.sqrt(dt))
    d = 1 / u
    q = (np.exp(r * dt) - d) / (u - d)
    prices = S * d ** np.arange(n, -1, -1) * u ** np.arange(0, n + 1)
    C = np.maximum(prices - K, np.zeros(n + 1))
    for _ in range(n):
        C = np.exp(-r * dt) * (q * C[1:] + (1 - q) * C[:-1])
    return C[0]


@program(normal(3), normal(3))
def robot_arm(angles, target):
    lengths = [1.0, 0.8, 0.5]
    p = np.zeros(2)
    total = 0
    for length, angle in zip(lengths, angles):
        total += angle
        R = np.array([[np.cos(total), -np.sin(total)], [np.sin(total), np.cos(total)]])
        p = p + R @ np.array([length, 0.0])
    return np.sum((p - target[:2]) ** 2)
