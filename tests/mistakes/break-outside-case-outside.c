void f(int x)
{
    break;
    case 1: x = 2;
    continue;
}
