/* outer /* inner */ still outer */
int f(int x)
{
    return y;
}
