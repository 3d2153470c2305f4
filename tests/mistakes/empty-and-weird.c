int f(int x) {
    x =;
    x +;
    (x;
    x);
    [x];
    return;
}
