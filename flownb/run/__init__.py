"""The engine: plan purely, act in one place, journal before acting, recover."""
