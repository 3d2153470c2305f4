int f(int x)
{
　　ｘ　＝　１；
    if （x == 1） ｛ return 2； ｝
    return y;
}
